/** The requested ports -> those we accept on, those shown in URLs, and the reason for each port that is not ours. */
import type { Listening } from "../../link/listen.ts";
import { listenOnBoth, type Ready } from "../../link/listen-on-both.ts";
import type { SocketLink } from "../../link/socket-link.ts";
import type { Scheme, UrlPorts } from "../../routes/service-row.ts";

/** A port that is used if it is available. */
export type ExtraPort = {
  /** The scheme whose URLs use this port; every port speaks both. */
  scheme: Scheme;
  /** 0 picks a free port. */
  port: number;
  /** If the port is available, URLs of its scheme use it instead of the main port. */
  shown: boolean;
};

export type RefusedPort = {
  port: number;
  /** The system's error code: EADDRINUSE, EACCES. */
  code: string | undefined;
  why: string;
  /** The command that gives us the port. */
  fix?: string;
};

export type OwnPortsOptions = {
  /** The port that has to be available; 0 picks a free one. */
  port: number;
  extra: readonly ExtraPort[];
  /** For a port that can only be bound on the wildcard address; connections from other machines are dropped there. */
  wildcard(port: number): boolean;
  /** Sockets of the daemon before, which listen already. */
  ready?: Ready | undefined;
  /** Receives a sentence for a person. */
  note(text: string): void;
};

export type OwnSocket = Listening & { as: "main" | Scheme };

export type OwnPorts = {
  port: number;
  /** The addresses that the main port accepts on. */
  addresses: readonly string[];
  listening: readonly OwnSocket[];
  /** The main port, and the further ones that were available. */
  all: readonly number[];
  urls: UrlPorts;
  refused: readonly RefusedPort[];
};

type Accept = (link: SocketLink) => void;

/** @throws the system's error if the main port is taken or not allowed. */
export function listenOnPorts(options: OwnPortsOptions, accept: Accept): OwnPorts {
  const { wildcard, ready, note } = options;
  const main = listenOnBoth(
    { port: options.port, wildcard: wildcard(options.port), ready, note },
    accept,
  );
  const listening: OwnSocket[] = main.listening.map((its) => ({ ...its, as: "main" }));
  const all = [main.port];
  const urls = { http: main.port, https: main.port };
  const refused: RefusedPort[] = [];
  for (const { scheme, port: asked, shown } of options.extra) {
    let port = asked;
    if (asked === 0 || !all.includes(asked)) {
      try {
        // The note about a missing address family was already written for the main port.
        const its = listenOnBoth(
          { port: asked, wildcard: wildcard(asked), ready, note() {} },
          accept,
        );
        port = its.port;
        listening.push(...its.listening.map((one) => ({ ...one, as: scheme })));
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
