/** All services and the edges between them -> each with the services that it waits for; cycles are errors. Pure. */
import { cycleText } from "../fill.ts";
import { cycles, withDependencies } from "../graph.ts";
import type { ServiceSpec } from "../project.ts";
import type { Mistakes } from "./mistakes.ts";
import { conditionOf } from "./needs.ts";
import type { Edge } from "./references.ts";
import type { Declared } from "./service.ts";

export function withWaits(declared: readonly Declared[], mistakes: Mistakes): ServiceSpec[] {
  const byName = new Map(declared.map((its) => [its.spec.name, its]));
  for (const edge of declared.flatMap(({ hard }) => hard)) {
    if (byName.get(edge.to)?.spec.schedule === undefined) continue;
    mistakes.add(edge, `${edge.to} runs by its schedule, so that no other service can wait for it`);
  }
  const graph = new Map(declared.map(({ spec, hard }) => [spec.name, targets(hard)]));
  for (const path of cycles(graph)) reportCycle(path, { byName, mistakes });
  const restarts = new Map(declared.map(({ spec }) => [spec.name, spec.restartWith]));
  for (const path of cycles(restarts)) {
    // A service that restarts with itself has been reported.
    if (path.length === 2) continue;
    const { table } = byName.get(path[0]!)!;
    mistakes.add(table.entries.get("restart_with") ?? table, cycleText("restart", path));
  }
  addSoft(declared, graph);
  return declared.map((its) => {
    const dependsOn = graph.get(its.spec.name)!;
    return {
      ...its.spec,
      dependsOn,
      conditions: conditionsOf(dependsOn, { its, byName, mistakes }),
    };
  });
}

/** The condition that is awaited of each dependency; `depends_on` counts before a reference. */
function conditionsOf(
  dependsOn: readonly string[],
  {
    its: { hard },
    byName,
    mistakes,
  }: { its: Declared; byName: ReadonlyMap<string, Declared>; mistakes: Mistakes },
): ServiceSpec["conditions"] {
  return Object.fromEntries(
    dependsOn.flatMap((name) => {
      const needed = byName.get(name)?.spec;
      if (needed === undefined) return [];
      const need = hard.find((edge) => edge.to === name && edge.need !== undefined)?.need;
      return [[name, conditionOf(need, { needed, mistakes })]];
    }),
  );
}

/** At the first edge, with every reference that is part of the cycle. */
function reportCycle(
  path: readonly string[],
  { byName, mistakes }: { byName: ReadonlyMap<string, Declared>; mistakes: Mistakes },
): void {
  const edges = path.slice(0, -1).map((name, index) => {
    const edge = byName.get(name)!.hard.find(({ to }) => to === path[index + 1])!;
    return { ...edge, name };
  });
  const ways = edges.flatMap(({ name, why }) =>
    why === "depends_on" ? [] : [`${name} uses ${why}`],
  );
  const because = ways.length === 0 ? "" : ` (${ways.join(", ")})`;
  mistakes.add(edges[0]!, `${cycleText("dependency", path)}${because}`);
}

/** Adds the soft edges to the graph, but for those that would make a cycle. */
function addSoft(declared: readonly Declared[], graph: Map<string, string[]>): void {
  for (const to of new Set(declared.flatMap(({ soft }) => targets(soft)))) {
    // Edges to it from what it does not need change nothing in what it needs.
    const needed = new Set(withDependencies(graph, [to]));
    for (const { spec, soft } of declared) {
      const all = graph.get(spec.name)!;
      const wanted = soft.some((edge) => edge.to === to) && !needed.has(spec.name);
      if (wanted && !all.includes(to)) all.push(to);
    }
  }
}

function targets(edges: readonly Edge[]): string[] {
  return [...new Set(edges.map(({ to }) => to))];
}
