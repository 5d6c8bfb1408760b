/** The service that starts the daemon after a reboot -> one piece. */
import { serviceRemoval } from "../boot/service.ts";
import type { Found, Here } from "./piece.ts";

export async function servicePiece({ flags, world }: Here): Promise<Found> {
  const { lines, carryOut } = await serviceRemoval(
    { ...(flags.root === undefined ? {} : { root: flags.root }) },
    { world },
  );
  if (lines.length === 0) return { pieces: [], notes: [] };
  const what = "the service that starts the daemon after a reboot";
  return {
    pieces: [{ id: "service", what, details: lines, isData: false, remove: carryOut }],
    notes: [],
  };
}
