/** A process and the others of its scan -> the one whose environment has its name. Pure. */
import { unwanted } from "./name.ts";
import type { ObservedProcess, Scan } from "./observation.ts";

export type CarrierOptions = {
  scan: Pick<Scan, "processes">;
  /** Our own process, which gives nobody its name. */
  ownPid: number;
};

/**
 * The process itself, if its environment can be read or its name is known. Otherwise its nearest ancestor of which that
 * is true, because an environment is inherited: `NAME=api npm start` names a Puma that has written its title over its
 * own, wherever between them a process has begun a job or a session. Nothing is inherited from another user but root.
 */
export function nameCarrier(
  process: ObservedProcess,
  { scan, ownPid }: CarrierOptions,
): ObservedProcess {
  const seen = new Set<number>();
  let at = process;
  while (isHidden(at) && !seen.has(at.pid)) {
    seen.add(at.pid);
    const parent = scan.processes.get(at.parent);
    if (parent === undefined || parent.pid === ownPid) return process;
    if (parent.uid !== at.uid && parent.uid !== 0) return process;
    at = parent;
  }
  return at;
}

/** Whether its environment says nothing of its name. */
function isHidden({ name, overwritten, unreadable }: ObservedProcess): boolean {
  return name === undefined && (overwritten === true || unreadable === true);
}

/** Whether a person has said that the process is to have no name at all: `NAME=-`. */
export function isUnwanted(process: ObservedProcess, options: CarrierOptions): boolean {
  return nameCarrier(process, options).name === unwanted;
}
