/** One scan, and names from beside it -> the services, each with its one name. */
import type { Claim } from "../routes/claim.ts";
import type { Service } from "../routes/service.ts";
import { type Claimed, claimedServices } from "./claimed.ts";
import { type GroupOptions, groupServices } from "./group.ts";
import type { Infer } from "./inference.ts";
import type { Scan } from "./observation.ts";
import { type NamedProcess, type NamingOptions, processNames } from "./process-names.ts";
import type { WorktreeLabels } from "./worktree-labels.ts";

export type ServicesOptions = NamingOptions &
  GroupOptions & {
    /** Names from beside the processes, the strongest first. */
    claims?: readonly Claim[] | undefined;
    /** Names for servers that nothing else names; undefined: they get none. */
    infer?: Infer | undefined;
    /** Undefined: worktrees are not looked for. */
    worktrees?: WorktreeLabels | undefined;
  };

export type Naming = {
  /** Sorted by name; of several with one name, the one that gets it comes first. */
  services: readonly Service[];
  /** Claims that lead nowhere now. */
  waiting: Claimed["waiting"];
};

const nobody: ReadonlyMap<number, NamedProcess> = new Map();
const unclaimed: Claimed = { services: [], waiting: [], pids: new Set(), names: new Map() };

/** Every name with its server, and the claims that wait for theirs. */
export function naming(scan: Scan, options: ServicesOptions): Naming {
  const own = processNames(scan, options);
  const named = options.worktrees?.inFront(own, scan) ?? own;
  const { claims = [], uid, ownPid } = options;
  const group = () => groupServices({ scan, named }, options);
  let found = claims.length === 0 ? undefined : group();
  const claimed =
    found === undefined
      ? unclaimed
      : claimedServices(claims, { scan, named, services: found, uid, ownPid });
  const renamed = [...claimed.pids].filter((pid) => named.delete(pid));
  const { pids, names } = claimed;
  const bare = options.infer?.(scan, { named, pids, names, ownPid }) ?? nobody;
  const inferred = options.worktrees?.inFront(bare, scan) ?? bare;
  for (const [pid, its] of inferred) named.set(pid, its);
  if (renamed.length + inferred.size > 0) found = undefined;
  found ??= group();
  if (claims.length === 0) return { services: found, waiting: [] };
  const services = [
    ...found,
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
