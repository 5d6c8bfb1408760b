/** One port -> links accepted on it at both loopback addresses. */
import { type Listening, listen } from "./listen.ts";
import type { SocketLink } from "./socket-link.ts";

export type ListenOnBothOptions = {
  /** 0 picks a port that is free in both address families. */
  port: number;
  /** For a port that can only be bound on the wildcard addresses; connections from other machines are dropped there. */
  wildcard?: boolean;
  /** The descriptor of a socket that listens at this place already, which is ours from then on. */
  ready?: Ready | undefined;
  /** Receives a sentence for a person: this machine has only one address family. */
  note(text: string): void;
};

/** A place -> the descriptor of a socket that listens there already, if there is one. Each is told once. */
export type Ready = (address: string, port: number) => number | undefined;

export type Both = {
  port: number;
  addresses: readonly string[];
  listening: readonly Listening[];
};

const loopbacks = ["127.0.0.1", "::1"] as const;
const wildcards = ["0.0.0.0", "::"] as const;

/** Picked ports that may turn out to be taken in the other family before we give up. */
const mostAttempts = 10;

/**
 * A name such as `api.localhost` resolves to either address, whichever a client tries first: a port is only ours if we
 * have both halves. @throws the system's error, with its `code`, if the port cannot be bound.
 */
export function listenOnBoth(
  { port, wildcard = false, ready, note }: ListenOnBothOptions,
  accept: (link: SocketLink) => void,
): Both {
  const [v4, v6] = wildcard ? wildcards : loopbacks;
  const at = (address: string, port: number): Listening =>
    listen({ address, port, descriptor: ready?.(address, port) }, accept);
  for (let attempt = 1; ; attempt++) {
    const first = at(v4, port);
    try {
      const second = at(v6, first.port);
      return { port: first.port, addresses: loopbacks, listening: [first, second] };
    } catch (error) {
      if ((error as { code?: unknown }).code === "EADDRINUSE") {
        first.stop();
        if (port !== 0 || attempt === mostAttempts) throw error;
        continue;
      }
      // This machine or container has no IPv6, so no client can connect to ::1.
      note(`not listening on [::1]: ${(error as Error).message}`);
      return { port: first.port, addresses: [loopbacks[0]], listening: [first] };
    }
  }
}
