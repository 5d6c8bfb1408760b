/** Dependencies between services -> an order to start in, the services that are affected, and every cycle. Pure. */

/** Each service with those that it waits for. Names that are not keys are ignored. */
export type Graph = ReadonlyMap<string, readonly string[]>;

export function graphOf(
  services: Iterable<{ readonly name: string; readonly dependsOn: readonly string[] }>,
): Graph {
  return new Map(Array.from(services, ({ name, dependsOn }) => [name, dependsOn]));
}

/** Each after all that it waits for, otherwise as they came. Within a cycle, the order is that of the walk. */
export function startOrder(graph: Graph): string[] {
  const order = new Set<string>();
  for (const name of graph.keys()) {
    // Not by recursion: a chain may be as long as a file.
    walk(name, graph, { leave: (left) => void order.add(left), known: order });
  }
  return [...order];
}

/** The names and all that they wait for, in the order to start. */
export function withDependencies(graph: Graph, names: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const name of names) {
    if (graph.has(name)) walk(name, graph, { leave: (left) => void found.add(left), known: found });
  }
  return startOrder(graph).filter((name) => found.has(name));
}

/** The names and all that they wait for, each once: themselves, what they wait for, what that waits for. */
export function nearestFirst(graph: Graph, names: Iterable<string>): string[] {
  const found = new Set(names);
  // A set goes on with what is added while it is walked.
  for (const name of found) for (const needed of graph.get(name) ?? []) found.add(needed);
  return [...found];
}

/** The names and all that waits for them, in the order to stop. */
export function withDependents(graph: Graph, names: Iterable<string>): string[] {
  return withDependencies(reversed(graph), names);
}

/** The same edges, the other way round. */
export function reversed(graph: Graph): Graph {
  // Backwards, so that what starts last stops first.
  const found = new Map([...graph.keys()].reverse().map((name) => [name, [] as string[]]));
  for (const [name, needed] of graph) {
    for (const other of needed) found.get(other)?.push(name);
  }
  return found;
}

/** Each cycle as its path: `["web", "api", "web"]`. One for each place where the walk comes back. */
export function cycles(graph: Graph): string[][] {
  const found: string[][] = [];
  const known = new Set<string>();
  for (const name of graph.keys()) {
    walk(name, graph, {
      known,
      leave: (left) => void known.add(left),
      again: (path) => void found.push(path),
    });
  }
  return found;
}

type Visit = {
  /** Services that need no walk. */
  known: ReadonlySet<string>;
  /** Called for a service when everything that it waits for has been left. */
  leave(name: string): void;
  /** Called with a cycle: the path from a service back to itself. */
  again?: (path: string[]) => void;
};

function walk(start: string, graph: Graph, { known, leave, again }: Visit): void {
  if (known.has(start)) return;
  const way = [{ name: start, next: 0 }];
  const onWay = new Set([start]);
  for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
    const needed = graph.get(here.name) ?? [];
    if (here.next === needed.length) {
      way.pop();
      onWay.delete(here.name);
      leave(here.name);
      continue;
    }
    const name = needed[here.next++]!;
    if (!graph.has(name)) continue;
    if (onWay.has(name)) {
      const from = way.findIndex((step) => step.name === name);
      again?.([...way.slice(from).map((step) => step.name), name]);
    } else if (!known.has(name)) {
      way.push({ name, next: 0 });
      onWay.add(name);
    }
  }
}
