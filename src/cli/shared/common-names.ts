/** Checkouts of this machine -> what tells which values of NAME are no names, for a look of our own. */
import { homedir } from "node:os";
import type { Checkouts } from "../../discovery/checkouts.ts";
import { commonNames } from "../../discovery/common-names.ts";
import type { Scan } from "../../discovery/observation.ts";

export function commonNamesHere(
  checkouts: Checkouts,
  { wsl }: { wsl: boolean },
): (scan: Scan) => Scan {
  return commonNames({
    wsl,
    commonFolders: new Set([homedir()]),
    repositoryOf: (folder) => checkouts.of(folder)?.repository,
  });
}
