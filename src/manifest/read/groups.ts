/** `[services]` -> the names of the instances that each service with `instances` has. Pure. */
import type { Table } from "../layer.ts";

/** The name that instances share -> their names, in order. */
export type Groups = ReadonlyMap<string, readonly string[]>;

export function groupsIn(services: Table): Groups {
  const found = new Map<string, readonly string[]>();
  for (const [name, node] of services.entries) {
    const count = node.kind === "table" ? node.entries.get("instances") : undefined;
    if (count?.kind === "leaf") found.set(name, namesOf(name, count.value as number));
  }
  return found;
}

function namesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at + 1}`);
}
