/** One scan -> the processes that carry a name: in their own environment, or in that of an ancestor. Pure. */
import type { NameSource } from "../routes/service.ts";
import { type Host, nameOf } from "./name.ts";
import type { ObservedProcess, Scan } from "./observation.ts";

export type NamingOptions = Host & {
  /** Our own process. Never a service, even if NAME was set when it was started. */
  ownPid: number;
};

/** A process that carries a name, and the verdict on that name. */
export type NamedProcess = {
  process: ObservedProcess;
  /** Equal for two processes that carry the same name. */
  key: string;
  /** The name, or printable text. */
  name: string;
  /** The reason why it cannot be routed. */
  why: string | undefined;
  source: NameSource;
  /** A clause on where the name is from. */
  because: string;
  /** Equal for processes that are one service, however they have come about. */
  unit?: number;
};

/** Every process that carries a name, by pid. */
export function processNames(
  scan: Scan,
  { ownPid, hostName, wsl }: NamingOptions,
): Map<number, NamedProcess> {
  const named = new Map<number, NamedProcess>();
  for (const process of scan.processes.values()) {
    if (process.pid === ownPid) continue;
    const carrier = nameCarrier(process, scan);
    const verdict = nameOf(carrier.name, { hostName, wsl });
    const its = { process, ...originOf(process, carrier) };
    if (verdict.kind === "name") {
      const { name } = verdict;
      named.set(process.pid, { ...its, key: name, name, why: undefined });
    } else if (verdict.kind === "unroutable") {
      // The raw text is used, because two long names may look alike once cut. The space keeps it apart from any valid
      // name.
      const key = ` ${carrier.name}`;
      named.set(process.pid, { ...its, key, name: verdict.text, why: verdict.why });
    }
  }
  return named;
}

/**
 * The process whose environment has the name: the nearest that can still be read, of the same user and the same job, as
 * an environment is inherited. `NAME=api npm start` names a Puma that has written its title over its own.
 */
function nameCarrier(process: ObservedProcess, { processes }: Scan): ObservedProcess {
  const { uid, group } = process;
  const seen = new Set<number>();
  let at = process;
  while (at.overwritten && at.name === undefined && !seen.has(at.pid)) {
    seen.add(at.pid);
    const parent = processes.get(at.parent);
    if (parent === undefined || parent.uid !== uid || parent.group !== group) return process;
    at = parent;
  }
  return at;
}

function originOf(
  { pid }: ObservedProcess,
  { pid: from, variable = "NAME" }: ObservedProcess,
): Pick<NamedProcess, "source" | "because"> {
  return pid === from
    ? { source: variable, because: `${variable} in its environment` }
    : { source: "ancestor", because: `${variable} of pid ${from}, which it has come of` };
}
