/** A connection of somebody who is not served -> a sentence in its own protocol, and its end. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { Alert, fatalAlert } from "../../wire/alert.ts";
import { sniff } from "../../wire/sniff.ts";
import { encodeReply, textReply } from "../pages/reply.ts";

/** Milliseconds in which its first byte may come, and in which it may read why. */
const patience = 2_000;
/** More of them at once are broken off unheard: they must cost us nothing. */
const mostAtOnce = 64;

/** No name, no port, no service: whoever reads it is somebody else. */
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
  /** Breaks off those that are still there. */
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
        // RFC 8446 section 6.2, access_denied: not sure that this is somebody whom we let in.
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
