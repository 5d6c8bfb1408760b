/** A list into work done on all of it, some at a time. */

export async function inParallel<T>(
  list: Iterable<T>,
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const items = [...list].entries();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const [index, item] of items) await work(item, index);
    }),
  );
}
