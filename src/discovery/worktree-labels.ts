/** Processes with names -> the same names, with the label of the git worktree in front that the process stands in. */
import { type ServiceCheckout, serviceCheckout } from "../routes/checkout.ts";
import type { NameSource, Service } from "../routes/service.ts";
import { printablePath } from "../text/printable.ts";
import type { Checkouts } from "./checkouts.ts";
import { nameOf } from "./name.ts";
import type { ObservedProcess, Scan } from "./observation.ts";
import type { NamedProcess } from "./process-names.ts";

export interface WorktreeLabels {
  /**
   * A NAME that begins with the label stays as it is, unless another checkout of the repository has the same. With a
   * new scan, processes which have ended are forgotten.
   */
  inFront(named: ReadonlyMap<number, NamedProcess>, scan: Scan): Map<number, NamedProcess>;
  /** A service that has its name from elsewhere, with the checkout that its folder is in. */
  placed(service: Service): Service;
}

/** Names that are nobody's exact word: those of the supervisor and those from beside the processes stay as they are. */
const labelled: ReadonlySet<NameSource> = new Set(["NAME", "ancestor", "folder"]);

/** Names of repositories that are remembered. */
const mostNames = 4096;

type Family = { named: ReadonlyMap<number, NamedProcess>; scan: Scan };

/**
 * A process keeps its checkout until it ends, with the branch of its start: the address of a running server does not
 * change when another branch is checked out under it, when its worktree is removed, or with the next daemon.
 */
export function worktreeLabels(
  checkouts: Pick<Checkouts, "of" | "asOf" | "renew">,
): WorktreeLabels {
  const kept = new Map<string, ServiceCheckout | undefined>();
  /** By repository and name, before the label: the checkouts that have it, or had it. The least recent first. */
  const roots = new Map<string, ReadonlySet<string>>();
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

  function see({ name }: NamedProcess, { repository, root }: ServiceCheckout): void {
    const key = `${repository}\0${name}`;
    const before = roots.get(key);
    roots.delete(key);
    roots.set(key, before?.has(root) ? before : new Set([...(before ?? []), root]));
    if (roots.size > mostNames) roots.delete(roots.keys().next().value!);
  }

  /** `NAME=fix-nav.api` in the worktree `fix-nav` alone. With `NAME=api`, a branch `api` may just be called so. */
  function isWhole({ name, source }: NamedProcess, its: ServiceCheckout): boolean {
    const { label, repository } = its;
    if (source === "folder" || label === undefined) return false;
    if (name !== label && !name.startsWith(`${label}.`)) return false;
    return (roots.get(`${repository}\0${name}`)?.size ?? 0) < 2;
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
      const found = [...named].map(([pid, its]) => {
        const checkout = checkoutOf(its, family);
        if (checkout !== undefined) see(its, checkout);
        return { pid, its, checkout };
      });
      return new Map(
        found.map(({ pid, its, checkout }) => {
          if (checkout === undefined) return [pid, its];
          const placed = { ...its, checkout };
          return [pid, isWhole(its, checkout) ? placed : withLabel(placed, checkout)];
        }),
      );
    },
  };
}

function idOf({ pid, startedAt }: ObservedProcess): string {
  return `${pid} ${startedAt}`;
}

function withLabel(its: NamedProcess, { label, root }: ServiceCheckout): NamedProcess {
  if (label === undefined || its.isSupervised || !labelled.has(its.source)) return its;
  // A text that is no name has no label. A folder's is one, also for a store, which is not routed.
  if (its.why !== undefined && its.source !== "folder") return its;
  const because = `${its.because}; ${label} is its git worktree, ${printablePath(root)}`;
  const verdict = nameOf(`${label}.${its.name}`, { hostName: "", wsl: false });
  if (verdict.kind === "name") {
    return { ...its, key: verdict.name, name: verdict.name, because };
  }
  if (verdict.kind === "none") return its;
  const { text, why } = verdict;
  return { ...its, key: ` ${text}`, name: text, why, because };
}
