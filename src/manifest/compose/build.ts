/** `build` of a compose service -> the folder that an image is made from. Pure. */
import { type Context, isAbsent } from "./context.ts";
import { isVariable } from "./environment.ts";
import { joinedPath, scalarText } from "./load.ts";
import { asMapping } from "./merge.ts";
import type { Entry, Node } from "./yaml.ts";

export function readBuild(entry: Entry, { out, text, none, facts }: Context) {
  const build = buildOf(entry);
  if (build === undefined) return none("build", entry, "only a folder of this machine is built");
  const { context, rest } = build;
  const table: Record<string, unknown> = { context: folderText(context, text(context) ?? ".") };
  for (const [key, its] of rest) {
    if (isAbsent(its.node)) continue;
    if (key === "dockerfile" || key === "target") {
      const word = text(its.node)?.trim() ?? "";
      if (word === "") none(`build.${key}`, its);
      else table[key] = word;
    } else if (key === "args") table.args = argsOf(its, { none, text, facts });
    else none(`build.${key}`, its);
  }
  const written = Object.fromEntries(Object.entries(table).filter(([, its]) => its !== undefined));
  out.set("build", Object.keys(written).length === 1 ? written.context : written);
}

type Build = { context: Node; rest: [string, Entry][] };

/** Undefined: it is built from somewhere else than a folder. */
export function buildOf({ node, at }: Entry): Build | undefined {
  const whole: Node = { ...at, kind: "scalar", value: ".", text: "." };
  const context = node.kind === "mapping" ? (node.entries.get("context")?.node ?? whole) : node;
  const its = scalarText(context);
  if (its === undefined || /^[a-z+]+:\/\/|^git@|^github\.com\/|\.git(?:#|$)/i.test(its))
    return undefined;
  const all = node.kind === "mapping" ? [...node.entries] : [];
  if (all.some(([key, entry]) => key === "dockerfile_inline" && !isAbsent(entry.node)))
    return undefined;
  return { context, rest: all.filter(([key]) => key !== "context") };
}

export function folderText(node: Node, path: string): string {
  const its = joinedPath(node.file.folder, path);
  return its === "." || its.startsWith("/") || its.startsWith("..") ? its : `./${its}`;
}

function argsOf(
  entry: Entry,
  { none, text, facts }: Pick<Context, "none" | "text" | "facts">,
): Record<string, string> | undefined {
  const mapping = asMapping(entry.node);
  if (mapping.kind !== "mapping") {
    none("build.args", entry);
    return undefined;
  }
  const args: [string, string][] = [];
  for (const [key, its] of mapping.entries) {
    // Without a value, it is that of the shell.
    const value = isAbsent(its.node) ? facts.variables(key, false) : text(its.node);
    if (value === undefined || !isVariable(key)) none(`build.args.${key}`, its);
    else args.push([key, value]);
  }
  return args.length === 0 ? undefined : Object.fromEntries(args);
}
