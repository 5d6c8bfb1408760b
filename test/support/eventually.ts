/** A condition that nobody announces into a promise of it. */

/** Looks until it holds. @throws when it does not in time. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  const begin = performance.now();
  while (!(await holds())) {
    const past = performance.now() - begin;
    if (past > milliseconds) throw new Error(`${what}: not within ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, untilNextLook(past)));
  }
}

/** Milliseconds: a tenth of those past, because looks take the time of what is waited for. */
export function untilNextLook(past: number): number {
  return Math.min(Math.max(2, past / 10), 25);
}
