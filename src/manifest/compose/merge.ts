/** Two files of a project, or a service and the one it extends -> one, as compose merges them. Pure. */
import type { At, Entry, List, Mapping, Node } from "./yaml.ts";

/** Keys whose value in the later file takes the place of the earlier one, a list or not. */
const replaced: readonly string[] = ["command", "entrypoint", "test"];

/** Lists of a service that are mappings as well: `A=1` is `A: 1`. */
const alsoMappings: readonly string[] = [
  ...["environment", "labels", "args", "depends_on", "networks", "extra_hosts", "annotations"],
  ...["sysctls", "links"],
];

/** Lists in which an item of the later file takes the place of one for the same thing. */
const named: Readonly<Record<string, (item: Node) => string | undefined>> = {
  volumes: targetOf,
  secrets: targetOf,
  configs: targetOf,
  expose: textOf,
  profiles: textOf,
};

/** `key`: the one that both are the values of. */
export function mergedOver(below: Node, above: Node, key = ""): Node {
  if (above.tag === "override" || replaced.includes(key)) return above;
  const isPair = alsoMappings.includes(key);
  const [one, other] = isPair ? [asMapping(below), asMapping(above)] : [below, above];
  if (one.kind === "mapping" && other.kind === "mapping") return mappings(one, other);
  const lists = [asList(one, key), asList(other, key)];
  const [first, second] = lists;
  if (first === undefined || second === undefined) return above;
  const nameOf = named[key];
  const later = new Set(nameOf === undefined ? [] : second.items.map(nameOf));
  const kept = first.items.filter((item) => {
    const its = nameOf?.(item);
    return its === undefined || !later.has(its);
  });
  return { ...second, items: [...kept, ...second.items] };
}

function mappings(below: Mapping, above: Mapping): Mapping {
  const entries = new Map<string, Entry>(below.entries);
  for (const [key, entry] of above.entries) {
    const old = entries.get(key);
    if (entry.node.tag === "reset") entries.delete(key);
    else if (old === undefined) entries.set(key, entry);
    else {
      const node = mergedOver(old.node, entry.node, key);
      entries.set(key, { at: node.kind === "mapping" ? old.at : entry.at, node });
    }
  }
  return { ...above, entries };
}

/** Keys that compose takes as a list as well as a single text. */
const alsoTexts: readonly string[] = ["env_file", "dns", "dns_search", "tmpfs"];

function asList(node: Node, key: string): List | undefined {
  if (node.kind === "list") return node;
  if (node.kind !== "scalar" || node.value === null || !alsoTexts.includes(key)) return undefined;
  return { file: node.file, line: node.line, kind: "list", items: [node] };
}

/** `["A=1", "B"]` is `{ A: 1, B: null }`; another node is itself. */
export function asMapping(node: Node): Node {
  if (node.kind !== "list") return node;
  const entries = new Map<string, Entry>();
  for (const item of node.items) {
    if (item.kind !== "scalar") return node;
    const at: At = { file: item.file, line: item.line };
    const [, key = "", value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(item.text) ?? [];
    const its: Node =
      value === undefined
        ? { ...at, kind: "scalar", value: null, text: "" }
        : { ...at, kind: "scalar", value, text: value };
    entries.set(key, { at, node: its });
  }
  return { file: node.file, line: node.line, kind: "mapping", entries };
}

function textOf(item: Node): string | undefined {
  return item.kind === "scalar" ? item.text : undefined;
}

/** The path inside a container, of `data:/var/lib/data` or of a mapping. */
function targetOf(item: Node): string | undefined {
  if (item.kind === "scalar") {
    const parts = item.text.split(":");
    return parts.length === 1 ? parts[0] : parts[1];
  }
  if (item.kind !== "mapping") return undefined;
  const target = item.entries.get("target") ?? item.entries.get("source");
  return target === undefined ? undefined : textOf(target.node);
}
