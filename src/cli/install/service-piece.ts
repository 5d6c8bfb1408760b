/** The service that starts the daemon after a reboot -> one piece. */
import { serviceRemoval } from "./service.ts";
import type { Found, Here } from "./pieces.ts";

export async function servicePiece({ settings, world }: Here): Promise<Found> {
  const { lines, carryOut } = await serviceRemoval({ settings, world });
  if (lines.length === 0) return { pieces: [], notes: [] };
  const what = "the service that starts the daemon after a reboot";
  return {
    pieces: [{ id: "service", what, details: lines, isData: false, remove: carryOut }],
    notes: [],
  };
}
