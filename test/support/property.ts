/**
 * A property into runs of it: as many as were asked for on a quiet machine, fewer on a busy one, never fewer than a
 * floor.
 */
import fc from "fast-check";

/** Milliseconds that runs beyond the floor may take together. */
const enough = 10_000;

export type Runs = {
  /** On a quiet machine. */
  runs: number;
  /** On any; a tenth unless said otherwise. */
  atLeast?: number;
};

/** @throws the smallest counterexample that was found, with its seed. */
export function holdsFor<T>(
  property: fc.IProperty<T>,
  { runs, atLeast = Math.ceil(runs / 10) }: Runs,
): void {
  fc.assert(property, { numRuns: atLeast });
  fc.assert(property, {
    numRuns: runs - atLeast,
    interruptAfterTimeLimit: enough,
    markInterruptAsFailure: false,
  });
}

/** The same for what is no property of fast-check: the first values, until there are enough or time is up. */
export function* some<T>(
  values: Iterable<T>,
  { atLeast, milliseconds = enough }: { atLeast: number; milliseconds?: number },
): Iterable<T> {
  const end = performance.now() + milliseconds;
  let made = 0;
  for (const value of values) {
    if (made++ >= atLeast && performance.now() > end) return;
    yield value;
  }
}
