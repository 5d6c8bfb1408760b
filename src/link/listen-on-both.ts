/** One port -> links accepted on it at both loopback addresses. */
import { type Listening, listen } from "./listen.ts";
import type { SocketLink } from "./socket-link.ts";

export type ListenOnBothOptions = {
  /** 0 picks one that is free in both families. */
  port: number;
  /** Where a port can only be had on the wildcard addresses; peers from elsewhere than this machine are dropped there. */
  wildcard?: boolean;
  /** A sentence for a person: this machine has one family only. */
  note(text: string): void;
};

export type Both = {
  port: number;
  addresses: readonly string[];
  listening: readonly Listening[];
};

const loopbacks = ["127.0.0.1", "::1"] as const;
const wildcards = ["0.0.0.0", "::"] as const;

/** Picked ports that are taken in the other family before this is given up. */
const mostAttempts = 10;

/**
 * A name such as `api.localhost` leads to either address, whichever a client tries first: a port of which somebody else
 * has one half is not ours. @throws the system's error, with its `code`, where the port cannot be had.
 */
export function listenOnBoth(
  { port, wildcard = false, note }: ListenOnBothOptions,
  accept: (link: SocketLink) => void,
): Both {
  const [v4, v6] = wildcard ? wildcards : loopbacks;
  for (let attempt = 1; ; attempt++) {
    const first = listen({ address: v4, port }, accept);
    try {
      const second = listen({ address: v6, port: first.port }, accept);
      return { port: first.port, addresses: loopbacks, listening: [first, second] };
    } catch (error) {
      if ((error as { code?: unknown }).code === "EADDRINUSE") {
        first.stop();
        if (port !== 0 || attempt === mostAttempts) throw error;
        continue;
      }
      // A machine or container without IPv6: nobody can come by ::1 there.
      note(`not listening on [::1]: ${(error as Error).message}`);
      return { port: first.port, addresses: [loopbacks[0]], listening: [first] };
    }
  }
}
