/** The ports that were asked for -> those that we accept on, what URLs have of them, and why the others are not ours. */
import { type Listening, listen } from "../link/listen.ts";
import type { SocketLink } from "../link/socket-link.ts";
import type { Scheme, UrlPorts } from "../routes/service-row.ts";

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

const loopbacks = ["127.0.0.1", "::1"] as const;

type Accept = (link: SocketLink) => void;

/** @throws the system's error where the main port is taken or not allowed. */
export function listenOnPorts(options: OwnPortsOptions, accept: Accept): OwnPorts {
  const { wildcard, note } = options;
  const main = listenOnBoth({ port: options.port, wildcard, note }, accept);
  const listening = [...main.listening];
  const all = [main.port];
  const urls = { http: main.port, https: main.port };
  const refused: RefusedPort[] = [];
  for (const { scheme, port: asked, shown } of options.extra) {
    let port = asked;
    if (asked === 0 || !all.includes(asked)) {
      try {
        // That a family is missing has been said of the main port.
        const its = listenOnBoth({ port: asked, wildcard, note() {} }, accept);
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

type Both = { port: number; addresses: readonly string[]; listening: readonly Listening[] };

/** Both families on one port; where 0 asks for any, until one is free in both. */
function listenOnBoth(
  { port, wildcard, note }: Omit<OwnPortsOptions, "extra">,
  accept: Accept,
): Both {
  const [v4, v6] = wildcard(port) ? (["0.0.0.0", "::"] as const) : loopbacks;
  for (let attempt = 1; ; attempt++) {
    const first = listen({ address: v4, port }, accept);
    try {
      const second = listen({ address: v6, port: first.port }, accept);
      return { port: first.port, addresses: loopbacks, listening: [first, second] };
    } catch (error) {
      if ((error as { code?: unknown }).code === "EADDRINUSE") {
        first.stop();
        if (port !== 0 || attempt === 10) throw error;
        continue;
      }
      // A machine or container without IPv6: nobody can come by ::1 there.
      note(`not listening on [::1]: ${(error as Error).message}`);
      return { port: first.port, addresses: [loopbacks[0]], listening: [first] };
    }
  }
}
