/** A mistyped word and the words that exist -> the one that was probably meant, and a suggestion of it. Pure. */

/** The longest DNS name. A longer word is not a typo, and the time is the product of both lengths. */
const longestWord = 253;
/** The limits of the `commander` package: at most three typos, and more of the word right than wrong. */
const mostSlips = 3;
const leastSimilarity = 0.4;

/** Letters inserted, left out, replaced, or swapped with their neighbour, to turn `from` into `to`. */
function slips(from: string, to: string): number {
  let twoAgo: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const now = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(
        last[column]! + 1,
        now[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) best = Math.min(best, twoAgo[column - 2]! + 1);
      now.push(best);
    }
    twoAgo = last;
    last = now;
  }
  return last[to.length]!;
}

/** The nearest of `candidates`, whatever the case; the first by alphabet where several are as near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > longestWord) return undefined;
  const wanted = word.toLowerCase();
  let found: string | undefined;
  let fewest = mostSlips;
  for (const candidate of candidates) {
    // Each letter of difference in length is at least one typo.
    if (Math.abs(candidate.length - wanted.length) > fewest) continue;
    const count = slips(wanted, candidate.toLowerCase());
    const longer = Math.max(candidate.length, wanted.length);
    if (count > fewest || longer - count <= leastSimilarity * longer) continue;
    if (count < fewest || found === undefined || candidate < found) found = candidate;
    fewest = count;
  }
  return found;
}

/** `; did you mean "api"?`: the word as a file would have it. */
export function didYouMeanText(text: string): string {
  return `; did you mean ${JSON.stringify(text)}?`;
}

export type SuggestionOptions = {
  /** The word is shown as TOML and JSON have it. */
  quoted?: boolean;
  /** Returned where no candidate is near. */
  otherwise?: string;
};

/** `; did you mean api?`, to end a sentence with. */
export function didYouMean(
  word: string,
  candidates: Iterable<string>,
  { quoted = false, otherwise = "" }: SuggestionOptions = {},
): string {
  const near = nearest(word, candidates);
  if (near === undefined) return otherwise;
  return `; did you mean ${quoted ? JSON.stringify(near) : near}?`;
}
