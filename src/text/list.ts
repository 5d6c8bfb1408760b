/** Words -> a list in a sentence: `a, b and c`, or `a, b and 3 more`. Pure. */

export type ListOptions = {
  /** Between the last two words. */
  conjunction?: "and" | "or";
  /** Words that are shown; the others are counted. */
  most?: number;
};

export function listed(
  words: readonly (string | number)[],
  { conjunction = "and", most = words.length }: ListOptions = {},
): string {
  const left = words.length - most;
  if (left > 0) return `${words.slice(0, most).join(", ")} and ${left} more`;
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}
