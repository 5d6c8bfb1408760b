/** One scan, and names from beside it -> the services, each with its one name. Pure. */
import type { Claim } from "../routes/claim.ts";
import type { Service } from "../routes/service.ts";
import { type GroupOptions, groupServices } from "./group.ts";
import type { Infer } from "./inference.ts";
import type { Scan } from "./observation.ts";
import { type NamedProcess, type NamingOptions, processNames } from "./process-names.ts";

export type ServicesOptions = NamingOptions &
  GroupOptions & {
    /** Names from beside the processes, the strongest first. */
    claims?: readonly Claim[] | undefined;
    /** Names for servers that nothing else names; undefined: they get none. */
    infer?: Infer | undefined;
  };

const nobody: ReadonlySet<number> = new Set();

/** Sorted by name, as `groupServices` says. */
export function servicesIn(scan: Scan, options: ServicesOptions): Service[] {
  const { claims = [], infer } = options;
  const named = processNames(scan, options);
  const names = new Set(claims.map(({ name }) => name));
  const inferred = infer?.(scan, { named, pids: nobody, names, ownPid: options.ownPid });
  return groupServices({ scan, named: both(named, inferred) }, options);
}

function both(
  named: ReadonlyMap<number, NamedProcess>,
  inferred: ReadonlyMap<number, NamedProcess> | undefined,
): ReadonlyMap<number, NamedProcess> {
  if (inferred === undefined || inferred.size === 0) return named;
  return new Map([...named, ...inferred]);
}
