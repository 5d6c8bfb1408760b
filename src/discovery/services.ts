/** One scan, and names from beside it -> the services, each with its one name. */
import type { Claim } from "../routes/claim.ts";
import type { Service } from "../routes/service.ts";
import { type GroupOptions, groupServices } from "./group.ts";
import type { Scan } from "./observation.ts";
import { type NamingOptions, processNames } from "./process-names.ts";
import type { WorktreeLabels } from "./worktree-labels.ts";

export type ServicesOptions = NamingOptions &
  GroupOptions & {
    /** Names from beside the processes, the strongest first. */
    claims?: readonly Claim[] | undefined;
    /** Undefined: worktrees are not looked for. */
    worktrees?: WorktreeLabels | undefined;
  };

/** Sorted by name, as `groupServices` says. */
export function servicesIn(scan: Scan, options: ServicesOptions): Service[] {
  const named = processNames(scan, options);
  const labelled = options.worktrees?.inFront(named, scan) ?? named;
  return groupServices({ scan, named: labelled }, options);
}
