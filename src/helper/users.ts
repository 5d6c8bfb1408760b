/** The text of the users file -> who may ask the root-owned programs for what. Pure. docs/helper.md */

/** What a line of the users file allows. */
export const rights = ["ports", "hosts"] as const;
export type Right = (typeof rights)[number];

/** Lines that the programs would not read are nobody's. */
export function listedUsers(text: string): Map<number, Set<Right>> {
  const users = new Map<number, Set<Right>>();
  for (const line of text.split("\n")) {
    const [number = "", ...words] = line.trim().split(/[ \t]+/);
    if (!/^\d{1,10}$/.test(number)) continue;
    const had = users.get(Number(number)) ?? new Set();
    for (const right of rights) if (words.includes(right)) had.add(right);
    users.set(Number(number), had);
  }
  return users;
}
