/** The program itself -> the package manager's command that takes it away, as the last piece. */
import { usersOf } from "../../helper/look.ts";
import { programRemoval } from "./program-removal.ts";
import type { Found, Here } from "./piece.ts";

export async function programPiece({ flags, world }: Here): Promise<Found> {
  const { lines, note, isShared, carryOut } = await programRemoval(world);
  const notes = note === undefined ? [] : [note];
  if (lines.length === 0) return { pieces: [], notes };
  const others = isShared ? await otherUsers(flags.root ?? "/") : [];
  const details = [
    ...lines,
    ...others.map((uid) => `user ${uid}, whom localhostess setup has allowed more, loses it too`),
  ];
  return {
    pieces: [{ id: "program", what: "the program", details, isData: false, remove: carryOut }],
    notes,
  };
}

async function otherUsers(root: string): Promise<number[]> {
  const users = await usersOf(root);
  return [...users.keys()].filter((uid) => uid !== process.getuid?.());
}
