/** One scan, and names from beside it -> the services, each with its one name. Pure. */
import type { Claim } from "../routes/claim.ts";
import type { Service } from "../routes/service.ts";
import { type GroupOptions, groupServices } from "./group.ts";
import type { Scan } from "./observation.ts";
import { type NamingOptions, processNames } from "./process-names.ts";

export type ServicesOptions = NamingOptions &
  GroupOptions & {
    /** Names from beside the processes, the strongest first. */
    claims?: readonly Claim[] | undefined;
  };

/** Sorted by name, as `groupServices` says. */
export function servicesIn(scan: Scan, options: ServicesOptions): Service[] {
  return groupServices({ scan, named: processNames(scan, options) }, options);
}
