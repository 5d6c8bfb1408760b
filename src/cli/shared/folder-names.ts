/** Settings and checkouts -> names for servers without one, for a command that looks at the machine itself. */
import type { Checkouts } from "../../discovery/checkouts.ts";
import { forgottenFolders, forgottenPath } from "../../discovery/forgotten-folders.ts";
import { type Infer, inference } from "../../discovery/inference.ts";
import { inferredPath, readInferred } from "../../discovery/inferred-state.ts";
import { projectFolders } from "../../discovery/project-folders.ts";
import { ownFile } from "../../system/own-bun.ts";
import type { Settings } from "./settings.ts";

/** The names that the last daemon gave are used, and those of new folders are not kept: only a daemon writes. */
export function folderNames({ stateDirectory }: Settings, its: Checkouts): Infer {
  const uid = process.getuid?.() ?? 0;
  const forgotten = forgottenFolders(forgottenPath(stateDirectory), () => {});
  return inference({
    ...{ uid, ownFile: ownFile(), supervised: () => [] },
    folders: projectFolders({ checkouts: its }),
    // A daemon reports files that cannot be used.
    names: readInferred(inferredPath(stateDirectory), () => {}),
    forgotten: () => forgotten.now(),
    wall: Date.now,
  });
}
