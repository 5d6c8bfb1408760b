/** Processes with names -> the same names, with the label of the git worktree in front that the process stands in. */
import { type ServiceCheckout, serviceCheckout } from "../routes/checkout.ts";
import type { NameSource, Service } from "../routes/service.ts";
import { printablePath } from "../text/printable.ts";
import type { Checkouts } from "./checkouts.ts";
import { nameOf } from "./name.ts";
import type { ObservedProcess, Scan } from "./observation.ts";
import type { NamedProcess } from "./process-names.ts";

export interface WorktreeLabels {
  /** Names that have a label already stay as they are. With a new scan, processes which have ended are forgotten. */
  inFront(named: ReadonlyMap<number, NamedProcess>, scan: Scan): Map<number, NamedProcess>;
  /** A service that has its name from elsewhere, with the checkout that its folder is in. */
  placed(service: Service): Service;
}

/** Names that are nobody's exact word: those of the supervisor and those from beside the processes stay as they are. */
const labelled: ReadonlySet<NameSource> = new Set(["NAME", "ancestor", "folder"]);

type Family = { named: ReadonlyMap<number, NamedProcess>; scan: Scan };

/**
 * A process keeps its checkout until it ends, with the branch of its start: the address of a running server does not
 * change when another branch is checked out under it, when its worktree is removed, or with the next daemon.
 */
export function worktreeLabels(
  checkouts: Pick<Checkouts, "of" | "asOf" | "renew">,
): WorktreeLabels {
  const kept = new Map<string, ServiceCheckout | undefined>();
  let last: Scan | undefined;

  function checkoutOf({ process, key }: NamedProcess, family: Family): ServiceCheckout | undefined {
    const id = idOf(process);
    if (kept.has(id)) return kept.get(id);
    const now = process.cwd === undefined ? undefined : checkouts.of(process.cwd);
    const own = now === undefined ? undefined : checkouts.asOf(now, process.startedAt);
    // Kept at once, because parents may form a loop: a pid was reused while the machine was read.
    kept.set(id, own === undefined ? undefined : serviceCheckout(own));
    const parent = family.named.get(process.parent);
    const isChild = parent?.key === key && parent.process.uid === process.uid;
    const around = isChild ? checkoutOf(parent, family) : undefined;
    // A child that is started anew stays with its parent, and so does one that went to a folder of the system.
    if (around !== undefined && (own === undefined || own.root === around.root)) {
      kept.set(id, around);
    }
    return kept.get(id);
  }

  function begin(scan: Scan): void {
    last = scan;
    checkouts.renew();
    const ids = new Set([...scan.processes.values()].map(idOf));
    for (const id of kept.keys()) if (!ids.has(id)) kept.delete(id);
  }

  return {
    placed(service) {
      const { source, cwd } = service;
      // A folder of another machine is none of this one's.
      if (source === "remote" || cwd === undefined) return service;
      const checkout = checkouts.of(cwd);
      return checkout === undefined ? service : { ...service, checkout: serviceCheckout(checkout) };
    },
    inFront(named, scan) {
      if (scan !== last) begin(scan);
      const family = { named, scan };
      return new Map(
        [...named].map(([pid, its]) => {
          const checkout = checkoutOf(its, family);
          return [pid, checkout === undefined ? its : withLabel({ ...its, checkout }, checkout)];
        }),
      );
    },
  };
}

function idOf({ pid, startedAt }: ObservedProcess): string {
  return `${pid} ${startedAt}`;
}

function withLabel(its: NamedProcess, { label, root }: ServiceCheckout): NamedProcess {
  if (label === undefined || its.why !== undefined || its.isSupervised) return its;
  if (!labelled.has(its.source)) return its;
  if (its.name === label || its.name.startsWith(`${label}.`)) return its;
  const because = `${its.because}; ${label} is its git worktree, ${printablePath(root)}`;
  const verdict = nameOf(`${label}.${its.name}`, { hostName: "", wsl: false });
  if (verdict.kind === "name") {
    return { ...its, key: verdict.name, name: verdict.name, because };
  }
  if (verdict.kind === "none") return its;
  const { text, why } = verdict;
  return { ...its, key: ` ${text}`, name: text, why, because };
}
