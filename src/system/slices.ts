/** Many small pieces of work from many callers -> pieces between which the event loop can run. */

/**
 * Await the returned function before each piece. It resolves at once, or in the next turn of the event loop if the
 * pieces of this turn have taken `milliseconds`. Callers go on one after another, so a crowd of them does not make one
 * long turn.
 */
export function slices(milliseconds: number): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let begun = 0;
  return () => {
    last = last.then(() => {
      if (performance.now() - begun < milliseconds) return undefined;
      return new Promise<void>((resume) => {
        setImmediate(() => {
          begun = performance.now();
          resume();
        });
      });
    });
    return last;
  };
}
