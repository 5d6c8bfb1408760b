/** One scan -> services by name: which processes belong together, which of them gets a name, where to dial. Pure. */
import type { FoundService } from "../routes/service.ts";
import { type Observation, type ObservedProcess, oldestFirst, type Scan } from "./observation.ts";
import type { NamedProcess } from "./process-names.ts";
import { pickPort } from "../routes/pick-port.ts";
import { endpointOf, neighbours, sharers } from "./endpoint.ts";
import { printable, printablePath } from "../text/printable.ts";

export type GroupOptions = {
  /** The user whose servers take precedence for a name. */
  uid: number;
  /** Name -> the user who had it after the last scan. Among other users, the name stays with that user. */
  holders?: ReadonlyMap<string, number>;
};

/** A scan, and its processes that carry a name. */
type Grouped = { scan: Scan; named: ReadonlyMap<number, NamedProcess> };

/** Processes with one name that belong together and become one service. */
type Tree = Pick<NamedProcess, "key" | "name" | "why"> & {
  /** The topmost ancestor with the same name; of several in one process group, the oldest. */
  root: ObservedProcess;
  observations: Observation[];
  /** The pids of its processes that listen. */
  pids: Set<number>;
  /** By pid: its listening processes with their names. */
  carriers: Map<number, NamedProcess>;
};

/**
 * The topmost ancestor that is reached through processes with the same name and the same user. Only a process of root
 * may have children of another user that still belong to it (nginx's workers).
 */
function rootOf(start: NamedProcess, named: ReadonlyMap<number, NamedProcess>): ObservedProcess {
  const seen = new Set<number>();
  let top = start;
  while (!seen.has(top.process.pid)) {
    seen.add(top.process.pid);
    const parent = named.get(top.process.parent);
    if (parent?.key !== start.key) break;
    const { uid } = parent.process;
    if (uid !== top.process.uid && uid !== 0) break;
    top = parent;
  }
  return top.process;
}

/** A union-find: marks that were joined, directly or through others, have the same leader. */
function joiner(): { join(a: string, b: string): void; leader(mark: string): string } {
  const next = new Map<string, string>();
  const leader = (mark: string): string => {
    let at = mark;
    for (let up = next.get(at); up !== undefined; up = next.get(at)) at = up;
    return at;
  };
  return {
    leader,
    join(a, b) {
      const [from, to] = [leader(a), leader(b)];
      if (from !== to) next.set(from, to);
    },
  };
}

/** Processes with one name belong together if they share a root, or a process group within one user. */
function treesOf(scan: Scan, named: ReadonlyMap<number, NamedProcess>): Tree[] {
  const holders = scan.observations.flatMap((observation) =>
    observation.pids.flatMap((pid) => {
      const holder = named.get(pid);
      return holder === undefined ? [] : [{ observation, holder, root: rootOf(holder, named) }];
    }),
  );
  const markOf = (root: ObservedProcess, key: string) => `root ${root.pid} ${key}`;
  const { join, leader } = joiner();
  for (const { holder, root } of holders) {
    if (holder.unit !== undefined) {
      join(`unit ${holder.unit} ${holder.key}`, markOf(root, holder.key));
      continue;
    }
    for (const { group } of [holder.process, root]) {
      // 0: a group in another pid namespace, which says nothing.
      if (group > 0 && holder.process.uid === root.uid)
        join(`group ${group} of ${root.uid} ${holder.key}`, markOf(root, holder.key));
    }
  }
  const trees = new Map<string, Tree>();
  for (const { observation, holder, root } of holders) {
    const mark = leader(markOf(root, holder.key));
    const { key, name, why } = holder;
    const carriers = new Map<number, NamedProcess>();
    const fresh = { observations: [], pids: new Set<number>(), carriers };
    const tree = trees.get(mark) ?? { key, name, why, root, ...fresh };
    trees.set(mark, tree);
    tree.carriers.set(holder.process.pid, holder);
    if (oldestFirst(root, tree.root) < 0) tree.root = root;
    tree.pids.add(holder.process.pid);
    if (!tree.observations.includes(observation)) tree.observations.push(observation);
  }
  return [...trees.values()];
}

function serviceOf(tree: Tree, { scan, named, uid }: Grouped & { uid: number }): FoundService {
  const ports = [...new Set(tree.observations.map((its) => its.port))].sort((a, b) => a - b);
  const wanted = [...tree.pids].flatMap((pid) => scan.processes.get(pid)?.wantedPort ?? []);
  const port = pickPort(ports as [number, ...number[]], new Set(wanted));
  const owners = tree.observations
    .filter((its) => its.port === port)
    .flatMap((its) => its.pids)
    .filter((pid) => tree.pids.has(pid))
    .map((pid) => scan.processes.get(pid)!)
    .sort(oldestFirst);
  const { pid, startedAt, command, cwd } = owners[0]!;
  const carrier = tree.carriers.get(pid);
  return {
    name: tree.name,
    routable: tree.why === undefined,
    endpoint: endpointOf(port, tree.observations, scan),
    process: { pid, startedAt },
    root: tree.root.pid,
    ...(tree.root.uid === uid ? {} : { user: tree.root.uid }),
    pids: [...tree.pids].sort((a, b) => a - b),
    ports,
    command: printable(command),
    cwd: cwd === undefined ? undefined : printablePath(cwd),
    source: carrier?.source ?? "NAME",
    because: carrier?.because,
    checkout: carrier?.checkout,
    warnings: [
      ...(tree.why === undefined ? [] : [tree.why]),
      ...neighbours(tree, scan),
      ...sharers(tree, { scan, nameOf: (pid) => named.get(pid)?.name }),
    ],
  };
}

/** The newest tree first: a person who starts a second server under a name wants that one. */
function newestFirst(a: Tree, b: Tree): number {
  return oldestFirst(b.root, a.root);
}

/**
 * The trees of the user who has the name come first: our own user; or else the user who had it at the last scan; or
 * else the one who came first. No user takes a name from another user by starting a server.
 */
function byRight(trees: readonly Tree[], { uid, holders }: GroupOptions): Tree[] {
  const users = trees.map((tree) => tree.root.uid);
  const before = holders?.get(trees[0]!.key);
  const [holder] = [uid, before].filter((user) => user !== undefined && users.includes(user));
  const first = holder ?? [...trees].sort((a, b) => oldestFirst(a.root, b.root))[0]!.root.uid;
  const rank = (tree: Tree) => (tree.root.uid === first ? 0 : 1);
  return [...trees].sort((a, b) => rank(a) - rank(b) || newestFirst(a, b));
}

/**
 * Services sorted by name. Of several with one name, the one that gets the name comes first; the others follow with
 * `routable: false`.
 *
 * Processes form one service if one descends from the other through processes with the same NAME, if they have such an
 * ancestor in common, or if they share a process group, always within one user. Otherwise, within one user, the tree
 * whose root started last gets the name; if they started in the same second, the one with the higher pid.
 */
export function groupServices({ scan, named }: Grouped, options: GroupOptions): FoundService[] {
  const services: FoundService[] = [];
  const all = treesOf(scan, named);
  for (const trees of Map.groupBy(all, (tree) => tree.key).values()) {
    const { uid } = options;
    const [first, ...others] = byRight(trees, options).map((tree) =>
      serviceOf(tree, { scan, named, uid }),
    );
    if (!first!.routable) {
      services.push(first!, ...others);
      continue;
    }
    const pidsOf = (these: FoundService[]) => these.map(({ process }) => process.pid).join(", ");
    const older = others.filter(({ user }) => user === first!.user);
    const strange = others.filter(({ user }) => user !== first!.user);
    const warnings = [
      ...(older.length === 0 ? [] : [`older servers have this name too: pid ${pidsOf(older)}`]),
      ...(strange.length === 0
        ? []
        : [`servers of other users have this name too: pid ${pidsOf(strange)}`]),
    ];
    services.push({ ...first!, warnings: [...first!.warnings, ...warnings] });
    for (const loser of others) {
      const { pid } = first!.process;
      const why =
        loser.user === first!.user
          ? `pid ${pid} was started later and took this name over; give one of the two another NAME`
          : `pid ${pid} of user ${first!.user ?? uid} has this name, and no other user takes it over; give this one another NAME`;
      services.push({ ...loser, routable: false, warnings: [why, ...loser.warnings] });
    }
  }
  // The sort is stable, so services of one name keep their order.
  return services.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
