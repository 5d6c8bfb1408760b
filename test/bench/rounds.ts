/** Things to measure into samples of each, taken in turn, so that what else the machine does falls on all alike. */
export async function rounds<T, S>(
  things: readonly T[],
  count: number,
  measure: (thing: T) => Promise<S>,
): Promise<Map<T, S[]>> {
  const samples = new Map<T, S[]>(things.map((thing) => [thing, []]));
  for (let round = 0; round < count; round++) {
    for (let at = 0; at < things.length; at++) {
      // Another one begins each round.
      const thing = things[(at + round) % things.length]!;
      samples.get(thing)!.push(await measure(thing));
    }
  }
  return samples;
}
