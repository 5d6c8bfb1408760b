/** A daemon in trouble -> the same daemon a moment later, while the trouble is one that it mends by itself. */
import type { Clock } from "../../system/clock.ts";
import type { Found } from "./connect.ts";
import { rereadEvery } from "./converge.ts";

export type SettleOptions = {
  clock: Clock;
  /** Whether the process of this answer was stopped by a signal, so that there is nothing to wait for. */
  isStopped(found: Found): boolean;
  /** Wait for a daemon that answers at its port alone to make its socket again. */
  bySocket: boolean;
  /** Called once, where it takes long enough for a person to wonder. */
  waiting?(found: Found): void;
};

/** A daemon looks at its record, its credential and its socket once in this time; a busy machine takes longer. */
const patienceToMend = 4 * rereadEvery;
/** Milliseconds for one that has too much to do. */
const patienceToAnswer = 10_000;
const pollEvery = 100;
/** Milliseconds: a person wonders by then. */
const wonderAfter = 700;

/** Looks once where there is nothing to wait for. Never rejects. */
export async function settled(
  look: () => Promise<Found>,
  { clock, isStopped, bySocket, waiting }: SettleOptions,
): Promise<Found> {
  const began = clock.now();
  let told = false;
  for (;;) {
    const found = await look();
    const waited = clock.now() - began;
    if (found.kind === "healthy" && !bySocket) return found;
    if (waited >= patienceWith(found) || isStopped(found)) return found;
    if (!told && waited >= wonderAfter) {
      told = true;
      waiting?.(found);
    }
    await new Promise<void>((resolve) => clock.after(pollEvery, resolve));
  }
}

/** Milliseconds. */
function patienceWith(found: Found): number {
  if (found.kind === "healthy") return found.by === "port" ? patienceToMend : 0;
  if (!found.alive) return 0;
  switch (found.kind) {
    case "silent":
      return patienceToAnswer;
    case "another":
    case "stranger":
    case "unproved":
    case "unreadable":
      return patienceToMend;
    // No wait changes a protocol, and one without a record ends, or has just begun.
    default:
      return 0;
  }
}
