/** A list into work done on all of it, some at a time. */

export async function inParallel<T>(
  list: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const items = list[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = items.next(); !item.done; item = items.next()) await work(item.value);
    }),
  );
}
