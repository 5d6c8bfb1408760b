/** A state directory -> an error where a newer version of this program has written to it. */
import { inferredFormat, inferredPath } from "../discovery/inferred-state.ts";
import { forgottenFormat, forgottenPath } from "../discovery/forgotten-folders.ts";
import { namesFormat } from "../discovery/given-names.ts";
import { choicesFormat, choicesPath } from "../discovery/kept-choices.ts";
import { namesPath } from "../discovery/names-file.ts";
import { pluginsFormat, pluginsPath } from "../plugins/plugins-file.ts";
import { remotesFormat, remotesPath } from "../remote/kept.ts";
import { registryFormat, registryPath } from "../supervisor/project/registry.ts";
import { stateFormat, statePath } from "../supervisor/project/state-file.ts";
import { newerFiles } from "../system/state-format.ts";

/** The older daemon would go on without what is in these files, and would then write them without it. */
export function refuseNewerState(directory: string): void {
  const newer = newerFiles([
    { path: statePath(directory), format: stateFormat },
    { path: registryPath(directory), format: registryFormat },
    { path: remotesPath(directory), format: remotesFormat },
    { path: pluginsPath(directory), format: pluginsFormat },
    { path: namesPath(directory), format: namesFormat },
    { path: choicesPath(directory), format: choicesFormat },
    { path: inferredPath(directory), format: inferredFormat },
    { path: forgottenPath(directory), format: forgottenFormat },
  ]);
  if (newer.length > 0) throw new Error(newer.join("\n"));
}
