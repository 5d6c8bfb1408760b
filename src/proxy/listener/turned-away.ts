/** A connection of a user who is not served -> a sentence in its own protocol, and its end. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { Alert, fatalAlert } from "../../wire/alert.ts";
import { sniff } from "../../wire/sniff.ts";
import { encodeReply, textReply } from "../pages/reply.ts";

/** Milliseconds for its first byte to arrive, and for it to read the reason. */
const patience = 2_000;
/** Any further ones at once are aborted unheard: they must cost us nothing. */
const mostAtOnce = 64;

/** Mentions no name, port or service, because another user reads it. */
const words = encodeReply(
  textReply(
    403,
    "localhostess: this proxy serves the user who started it, and root; that user can open it to others with other_users = true in config.toml",
  ),
  { head: false, close: true },
);

export type TurningAway = {
  /** Takes over the link. */
  turnAway(link: Link): void;
  /** Aborts the connections that are still open. */
  stop(): void;
};

export function turningAway(clock: Clock, fault: (fault: unknown) => void): TurningAway {
  const links = new Map<Link, Cancel>();

  function handlerOf(link: Link, due: number): LinkHandler {
    const gone = (): void => {
      links.get(link)?.();
      links.delete(link);
    };
    return {
      data(bytes) {
        // RFC 8446 section 6.2, access_denied: access control refuses this client.
        const why = sniff(bytes[0]!) === "tls" ? fatalAlert(Alert.accessDenied) : words;
        links.get(link)?.();
        const left = due - clock.now();
        lastWords(link, why, { timer: clock, flush: left, linger: left, gone, failed: fault });
      },
      drained() {},
      ended: () => link.close(),
      closed: gone,
      failed: fault,
    };
  }

  return {
    turnAway(link) {
      link.handler = handlerOf(link, clock.now() + patience);
      if (links.size >= mostAtOnce) {
        link.abort();
        return;
      }
      links.set(
        link,
        clock.after(patience, () => link.abort()),
      );
    },
    stop() {
      for (const link of [...links.keys()]) link.abort();
    },
  };
}
