/** Two links -> one: every byte, half-close and reset of one reaches the other. */
import type { Link, LinkHandler } from "./link.ts";

export type Joined = {
  /** Called once, when both links are gone. */
  closed(): void;
  failed(fault: unknown): void;
  /** Counts the octets that arrive from each link. */
  came?: { fromFirst(octets: number): void; fromSecond(octets: number): void } | undefined;
};

/** Takes over the events of both links. Write any bytes that either owner still holds before calling this. */
export function join(first: Link, second: Link, joined: Joined): void {
  let open = 2;
  const gone = (): void => {
    open--;
    if (open === 0) joined.closed();
  };
  const { failed, came } = joined;
  first.handler = towards(first, second, { gone, failed, came: came?.fromFirst });
  second.handler = towards(second, first, { gone, failed, came: came?.fromSecond });
  if (first.pending > 0) second.pause();
  else second.resume();
  if (second.pending > 0) first.pause();
  else first.resume();
}

/** Applies the events of `from` to `to`. */
function towards(
  from: Link,
  to: Link,
  {
    gone,
    failed,
    came,
  }: {
    gone: () => void;
    failed: (fault: unknown) => void;
    came: ((octets: number) => void) | undefined;
  },
): LinkHandler {
  return {
    data(bytes) {
      came?.(bytes.length);
      if (!to.write(bytes, 0, bytes.length)) from.pause();
    },
    drained() {
      to.resume();
    },
    ended() {
      to.halfClose();
    },
    closed(cause) {
      if (cause === undefined) to.close();
      else to.abort();
      gone();
    },
    failed(fault) {
      failed(fault);
      to.abort();
    },
  };
}
