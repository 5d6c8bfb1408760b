/** The text of the users file -> who may ask the root-owned programs for what. Pure. docs/helper.md */

/** The words of a line of the users file. */
export const rights = ["ports", "hosts"] as const;
export type Right = (typeof rights)[number];

/** The number that means nobody to the kernel. */
const nobody = 0xffff_ffff;

/** As the programs read it: what they would not take, such as a last line that was cut off, allows nothing. */
export function listedUsers(text: string): Map<number, Set<Right>> {
  const users = new Map<number, Set<Right>>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [number = "", ...words] = line
      .replace(/#.*/, "")
      .replace(/^[ \t]+/, "")
      .split(/[ \t]+/);
    if (!/^(?:0|[1-9]\d{0,9})$/.test(number) || Number(number) >= nobody) continue;
    const had = users.get(Number(number)) ?? new Set();
    for (const right of rights) if (words.includes(right)) had.add(right);
    users.set(Number(number), had);
  }
  return users;
}
