/** A start that may be under way -> its project, stopped: a stop that overtakes the start is said again. */

/** Milliseconds that a start has to end behind a stop. */
const patience = 500;
/** A daemon that is busy reads a project's files for seconds before it begins. */
const most = 60;

export async function stopBehind(
  started: Promise<unknown>,
  stop: () => Promise<unknown>,
): Promise<void> {
  const hasEnded = started.then(
    () => true,
    () => true,
  );
  for (let count = 1; ; count++) {
    try {
      await stop();
    } catch (error) {
      // A project that the start has not made known yet is none to the first stop.
      if (count === most || (await Promise.race([hasEnded, Bun.sleep(0).then(() => false)])))
        throw error;
    }
    const isOver = await Promise.race([hasEnded, Bun.sleep(patience).then(() => false)]);
    if (isOver || count === most) return;
  }
}
