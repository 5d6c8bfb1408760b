/** A test's time into a turn of the event loop. */

/** Lets everyone else in this process have a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets turns pass until it holds. @throws after twenty seconds. */
export async function turnsUntil(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within 20 s`);
    await turn();
  }
}

/**
 * Lets everyone in this process have `count` turns. Loopback has no delay of its own, so what was on its way between
 * sockets of this process has arrived by then, on a busy machine as well.
 */
export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}
