/** The program itself -> the package manager's command that takes it away, as the last piece. */
import { programRemoval } from "./program-removal.ts";
import type { Found, Here } from "./piece.ts";

export async function programPiece({ world }: Here): Promise<Found> {
  const { lines, note, carryOut } = await programRemoval(world);
  const notes = note === undefined ? [] : [note];
  if (lines.length === 0) return { pieces: [], notes };
  return {
    pieces: [
      { id: "program", what: "the program", details: lines, isData: false, remove: carryOut },
    ],
    notes,
  };
}
