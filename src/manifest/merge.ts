/** Layers, lowest first -> one tree, in which the last layer that has a value wins. Pure. */
import { emptyTable, type Layer, type Node, type Table } from "./layer.ts";

/** Tables are merged key by key, at every depth; anything else replaces. Keys keep the order in which they came. */
export function merged(layers: readonly Layer[]): Table {
  const nowhere = emptyTable({ name: "", lineOf: () => 1 });
  return layers.reduce((below, { tree }) => over(below, tree), nowhere);
}

function over(below: Table, above: Table): Table {
  const entries = new Map<string, Node>(below.entries);
  for (const [key, node] of above.entries) {
    const old = entries.get(key);
    entries.set(key, old?.kind === "table" && node.kind === "table" ? over(old, node) : node);
  }
  return { ...above, entries };
}
