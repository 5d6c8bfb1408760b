/** This machine -> the pieces of the installation on it, in the order in which they can be taken away. */
import { authorityPiece } from "./authority-piece.ts";
import { daemonPieces } from "./daemon-piece.ts";
import { folderPieces } from "./folder-pieces.ts";
import { sandboxesIn } from "./own-folders.ts";
import type { Found, Here } from "./piece.ts";
import { programPiece } from "./program-piece.ts";
import { servicePiece } from "./service-piece.ts";
import { setupPiece } from "./setup-piece.ts";
import { shellPieces } from "./shell-piece.ts";
import { volumePiece } from "./volume-piece.ts";

/**
 * The manager of services would start a daemon again, and daemons write their files again. Trust stores are searched
 * by the certificate in the state directory, and all of it is done by the program.
 */
export async function piecesOf(here: Here): Promise<Found> {
  const states = [here.settings.stateDirectory, ...sandboxesIn(here.settings.stateDirectory)];
  const parts = [
    await servicePiece(here),
    await daemonPieces(here, states),
    await setupPiece(here),
    await authorityPiece(here),
    await volumePiece(here, states),
    await shellPieces(here),
    folderPieces(here),
    await programPiece(here),
  ];
  return {
    pieces: parts.flatMap(({ pieces }) => pieces),
    notes: parts.flatMap(({ notes }) => notes),
  };
}
