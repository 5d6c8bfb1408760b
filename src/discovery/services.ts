/** One scan, and names from beside it -> the services, each with its one name. */
import type { Claim } from "../routes/claim.ts";
import type { Service } from "../routes/service.ts";
import { type Claimed, claimedServices } from "./claimed.ts";
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

export type Naming = {
  /** Sorted by name; of several with one name, the one that gets it comes first. */
  services: readonly Service[];
  /** Claims that lead nowhere now. */
  waiting: Claimed["waiting"];
};

/** Every name with its server, and the claims that wait for theirs. */
export function naming(scan: Scan, options: ServicesOptions): Naming {
  const own = processNames(scan, options);
  const named = options.worktrees?.inFront(own, scan) ?? own;
  const { claims = [], uid, ownPid } = options;
  if (claims.length === 0)
    return { services: groupServices({ scan, named }, options), waiting: [] };
  const found = groupServices({ scan, named }, options);
  const claimed = claimedServices(claims, { scan, named, services: found, uid, ownPid });
  const renamed = [...claimed.pids].filter((pid) => named.delete(pid));
  const services = [
    ...(renamed.length === 0 ? found : groupServices({ scan, named }, options)),
    ...claimed.services.map((its) => options.worktrees?.placed(its) ?? its),
  ];
  // The sort is stable: a NAME comes before a claim, and a claim before a weaker one.
  services.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { services, waiting: claimed.waiting };
}

/** The services of `naming`. */
export function servicesIn(scan: Scan, options: ServicesOptions): readonly Service[] {
  return naming(scan, options).services;
}
