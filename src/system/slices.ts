/** Work in many small pieces, from many sides -> pieces between which the event loop gets its turn. */

/**
 * Awaited before each piece: goes on at once, or in the next turn of the event loop where the pieces of this one have taken
 * `milliseconds`. Those who wait go on one after another, so a crowd of them does not make one long turn.
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
