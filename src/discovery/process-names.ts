/** One scan -> the processes that carry a name: in their own environment, or in that of an ancestor. Pure. */
import type { ServiceCheckout } from "../routes/checkout.ts";
import type { NameSource } from "../routes/service.ts";
import { type Host, nameOf } from "./name.ts";
import { nameCarrier } from "./name-carrier.ts";
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
  /** The supervisor has named it, whichever process carries the name. */
  isSupervised?: boolean | undefined;
  /** The git checkout that it runs in, once that was looked at. */
  checkout?: ServiceCheckout | undefined;
};

/** Every process that carries a name, by pid. */
export function processNames(
  scan: Scan,
  { ownPid, hostName, wsl }: NamingOptions,
): Map<number, NamedProcess> {
  const named = new Map<number, NamedProcess>();
  const common = new Set(scan.common?.map(({ name }) => name));
  for (const process of scan.processes.values()) {
    if (process.pid === ownPid) continue;
    const carrier = nameCarrier(process, { scan, ownPid });
    if (isCommon(carrier, common)) continue;
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

function isCommon({ name, variable }: ObservedProcess, common: ReadonlySet<string>): boolean {
  return name !== undefined && variable !== "LOCALHOSTESS_NAME" && common.has(name);
}

function originOf(
  process: ObservedProcess,
  { pid: from, variable = "NAME" }: ObservedProcess,
): Pick<NamedProcess, "source" | "because" | "isSupervised"> {
  const isSupervised = variable === "LOCALHOSTESS_NAME";
  if (process.pid !== from) {
    const because = `${variable} of pid ${from}, which it has come of`;
    return { source: "ancestor", because, isSupervised };
  }
  const since = process.overwritten ? ", before it wrote its title over it" : "";
  return { source: variable, because: `${variable} in its environment${since}`, isSupervised };
}
