/** Words about what a program does while it prepares -> the supervisor, a few times a second at most. */
import type { Notify } from "../system/notify-supervisor.ts";

/** Milliseconds between two words of the same kind. */
const pace = 250;

/** Microseconds by which each sign of work puts the end of a start's time off, and milliseconds between two signs. */
const extension = 60_000_000;
const signPeriod = 10_000;

export interface StatusTeller {
  /** Words that differ in numbers only are told now and then. */
  tell(text: string): void;
  /** Takes the last words back. */
  end(): void;
}

export function statusTeller(
  notify: Notify,
  now: () => number = () => performance.now(),
): StatusTeller {
  let last = { text: "", time: Number.NEGATIVE_INFINITY };
  const kindOf = (text: string): string => text.replace(/[\d.]+/g, "0");
  const send = (text: string): void =>
    void notify(`STATUS=${text}`, `EXTEND_TIMEOUT_USEC=${extension}`);
  const timer = setInterval(() => send(last.text), signPeriod);
  return {
    tell(text) {
      const time = now();
      if (kindOf(text) === kindOf(last.text) && time - last.time < pace) return;
      last = { text, time };
      send(text);
    },
    end() {
      clearInterval(timer);
      notify("STATUS=");
    },
  };
}
