/** A connection of a user who is not served -> an error in its own protocol, and its end. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { Alert, fatalAlert } from "../../wire/alert.ts";
import { sniff } from "../../wire/sniff.ts";
import { encodeReply, textReply } from "../pages/reply.ts";

/** Milliseconds for the first byte to come and the error to be read, together. */
const patience = 2_000;
/** More at once are broken off without an answer: they must cost us nothing. */
const mostAtOnce = 64;

/** Names no service and no port: the reader is another user. */
const words = encodeReply(
  textReply(
    403,
    "localhostess: this proxy serves the user who started it, and root; that user can open it with other_users = true in config.toml",
  ),
  { head: false, close: true },
);

export type TurningAway = {
  /** Takes the link over. */
  turnAway(link: Link): void;
  /** Breaks off the connections that are left. */
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
        // RFC 8446 section 6.2, access_denied: the sender decided not to proceed, by access control.
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
