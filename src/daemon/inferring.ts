/** The state directory and the folders of this machine -> names for servers that have none, kept over restarts. */
import type { Checkouts } from "../discovery/checkouts.ts";
import { forgottenFolders, forgottenPath } from "../discovery/forgotten-folders.ts";
import { type Infer, inference } from "../discovery/inference.ts";
import { inferredFile, inferredPath } from "../discovery/inferred-state.ts";
import { projectFolders } from "../discovery/project-folders.ts";
import type { Supervised } from "../routes/supervised.ts";
import type { Clock } from "../system/clock.ts";
import { ownFile } from "../system/own-bun.ts";

export type InferringOptions = {
  stateDirectory: string;
  uid: number;
  clock: Clock;
  checkouts: Checkouts;
  supervised(): readonly Supervised[];
  note(text: string): void;
};

export type FolderNames = {
  infer: Infer;
  /** Resolves when all names are written. */
  flush(): Promise<void>;
};

export function inferring(options: InferringOptions): FolderNames {
  const { stateDirectory, uid, clock, checkouts, supervised, note } = options;
  const file = inferredFile({ path: inferredPath(stateDirectory), clock, note });
  const forgotten = forgottenFolders(forgottenPath(stateDirectory), note);
  const infer = inference({
    ...{ uid, supervised, ownFile: ownFile() },
    folders: projectFolders({ checkouts, now: () => clock.now() }),
    names: file.read(),
    forgotten: () => forgotten.now(),
    wall: () => clock.wall(),
    onChange: (names) => file.save(names),
  });
  return { infer, flush: () => file.flush() };
}
