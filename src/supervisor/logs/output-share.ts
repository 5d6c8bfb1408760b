/** How much services print -> who of them waits for a turn, so that the daemon has time for everything else. */
import type { Cancel, Clock } from "../../system/clock.ts";

export interface Printer {
  /** Waits with what it prints; and goes on. */
  setShare(paused: boolean): void;
}

export interface OutputShare {
  printed(printer: Printer, bytes: number): void;
  stop(): void;
}

/** Bytes after which a service waits for its turn, where it has printed them within so many milliseconds. */
const portion = 32 * 1024;
const soon = 20;

/** Milliseconds between two turns, and until one that waits alone goes on. */
const turn = 4;
const alone = 1;
/** Milliseconds after which no other service counts as printing as much. */
const recent = 200;

/**
 * A terminal is read until it is empty, which one that is written to all the time hardly ever is: ten services that
 * print as fast as they can would be read for a tenth of a second before anything else happens. So each of them has its
 * turn, one at a time. Who prints less than 1.5 MB a second never waits.
 */
export function outputShare(clock: Clock): OutputShare {
  const printing = new Map<Printer, { since: number; bytes: number }>();
  const waiting: Printer[] = [];
  let cancel: Cancel | undefined;
  /** When more than one waited. */
  let crowded = Number.NEGATIVE_INFINITY;

  function next(): void {
    cancel = undefined;
    waiting.shift()?.setShare(false);
    if (waiting.length > 0) cancel = clock.after(turn, next);
    else printing.clear();
  }

  return {
    printed(printer, bytes) {
      const now = clock.now();
      let its = printing.get(printer);
      if (its === undefined || now - its.since > soon) {
        its = { since: now, bytes: 0 };
        printing.set(printer, its);
      }
      its.bytes += bytes;
      // Bytes that were read before the pause may still come.
      if (its.bytes < portion || waiting.includes(printer)) return;
      printing.delete(printer);
      waiting.push(printer);
      printer.setShare(true);
      if (waiting.length > 1) crowded = now;
      cancel ??= clock.after(now - crowded < recent ? turn : alone, next);
    },
    stop() {
      cancel?.();
      cancel = undefined;
      for (const printer of waiting.splice(0)) printer.setShare(false);
      printing.clear();
    },
  };
}
