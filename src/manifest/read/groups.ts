/** `[services]` -> the names of the instances that each service with `instances` has, and of a plan. Pure. */
import type { Table } from "../layer.ts";

/** The name that instances share -> their names, in order. */
export type Groups = ReadonlyMap<string, readonly string[]>;

/** `standIns`: names that stand for other services. */
export function groupsIn(services: Table, standIns: Groups = new Map()): Groups {
  const found = new Map<string, readonly string[]>();
  for (const [name, node] of services.entries) {
    const count = node.kind === "table" ? node.entries.get("instances") : undefined;
    if (count?.kind === "leaf") found.set(name, namesOf(name, count.value as number));
  }
  for (const [name, own] of standIns) {
    found.set(
      name,
      own.flatMap((its) => found.get(its) ?? [its]),
    );
  }
  return found;
}

function namesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at + 1}`);
}
