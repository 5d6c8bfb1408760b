/** The work of `localhostess setup` on this machine -> one piece. */
import { setupRemoval } from "../setup/setup.ts";
import type { Found, Here } from "./piece.ts";

export async function setupPiece({ flags, settings, world }: Here): Promise<Found> {
  const { due, carryOut } = await setupRemoval(
    { ...(flags.root === undefined ? {} : { root: flags.root }) },
    { settings, world },
  );
  if (due.length === 0) return { pieces: [], notes: [] };
  return {
    pieces: [
      {
        ...{ id: "setup", what: "what localhostess setup has installed, as root", isData: false },
        details: due.map(({ purpose }) => purpose),
        remove: carryOut,
      },
    ],
    notes: [],
  };
}
