/** The ports that were asked for -> those that we accept on, what URLs have of them, and why the others are not ours. */
import type { Listening } from "../../link/listen.ts";
import { listenOnBoth } from "../../link/listen-on-both.ts";
import type { SocketLink } from "../../link/socket-link.ts";
import type { Scheme, UrlPorts } from "../../routes/service-row.ts";

/** A port that is taken where it can be had. */
export type ExtraPort = {
  /** Whose URLs it is for; either is spoken on every port. */
  scheme: Scheme;
  /** 0 picks one. */
  port: number;
  /** Once it is ours, URLs of its scheme have it, and not the main port. */
  shown: boolean;
};

export type RefusedPort = {
  port: number;
  /** The system's: EADDRINUSE, EACCES. */
  code: string | undefined;
  why: string;
};

export type OwnPortsOptions = {
  /** The one that has to be had; 0 picks one. */
  port: number;
  extra: readonly ExtraPort[];
  /** Where a port can only be had on the wildcard address; peers from elsewhere than this machine are dropped there. */
  wildcard(port: number): boolean;
  /** A sentence for a person. */
  note(text: string): void;
};

export type OwnPorts = {
  port: number;
  /** What the main port is answered on. */
  addresses: readonly string[];
  listening: readonly Listening[];
  /** The main port, and the others that were had. */
  all: readonly number[];
  urls: UrlPorts;
  refused: readonly RefusedPort[];
};

type Accept = (link: SocketLink) => void;

/** @throws the system's error where the main port is taken or not allowed. */
export function listenOnPorts(options: OwnPortsOptions, accept: Accept): OwnPorts {
  const { wildcard, note } = options;
  const main = listenOnBoth({ port: options.port, wildcard: wildcard(options.port), note }, accept);
  const listening = [...main.listening];
  const all = [main.port];
  const urls = { http: main.port, https: main.port };
  const refused: RefusedPort[] = [];
  for (const { scheme, port: asked, shown } of options.extra) {
    let port = asked;
    if (asked === 0 || !all.includes(asked)) {
      try {
        // That a family is missing has been said of the main port.
        const its = listenOnBoth({ port: asked, wildcard: wildcard(asked), note() {} }, accept);
        port = its.port;
        listening.push(...its.listening);
        all.push(port);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        refused.push({ port: asked, code, why: message });
        continue;
      }
    }
    if (shown) urls[scheme] = port;
  }
  return { port: main.port, addresses: main.addresses, listening, all, urls, refused };
}
