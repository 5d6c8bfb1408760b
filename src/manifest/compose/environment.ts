/** `environment` of a compose service -> variables here, with notes where one means something else. Pure. */
import { inheritedText } from "../fill.ts";
import { given } from "../read/variables.ts";
import type { Part } from "../reference.ts";
import { composeParts, envText, filledNow, variablesIn } from "./interpolate.ts";
import { asMapping } from "./merge.ts";
import type { Context } from "./context.ts";
import { unsafeKeys } from "./written.ts";
import type { Entry, Node } from "./yaml.ts";

export function environment(entry: Entry, { out, facts, none }: Context) {
  const mapping = asMapping(entry.node);
  if (mapping.kind !== "mapping") return none("environment", entry);
  const all = [...mapping.entries].filter(([, { node }]) => node.tag !== "reset");
  const kept = new Map<string, Part[]>();
  const places = new Map<string, Entry>();
  for (const [key, its] of all) {
    const parts = partsOf(its.node, key);
    if (parts === undefined || !isVariable(key)) none(`environment.${key}`, its);
    // Every service has the variables of .env, so that this one has it already.
    else if (isItself(parts, key) && facts.dotenv.has(key))
      out.note(its.at, `${key} is that of .env`);
    else {
      kept.set(key, parts);
      places.set(key, its);
    }
  }
  for (const [key, parts] of kept) {
    const { at } = places.get(key)!;
    const names = variablesIn(parts);
    // These are the service's own here, such as its PORT.
    const ours = names.find((name) => given.includes(name));
    const other = names.find((name) => facts.dotenv.has(name) && kept.has(name));
    if (isEmpty(places.get(key)!.node)) {
      out.env.set(key, inheritedText(key));
    } else if (ours !== undefined) {
      const filled = filledNow(parts, facts.variables);
      const text = envText([filled], () => "shell");
      out.env.set(key, text);
      out.note(at, `${key}: \${${ours}} is the value that it has now`);
    } else {
      if (other !== undefined)
        out.note(at, `${key}: \${${other}} is the shell's, and not that of .env`);
      const scopeOf = (name: string): "service" | "shell" =>
        kept.has(name) || !facts.dotenv.has(name) ? "shell" : "service";
      out.env.set(key, envText(parts, scopeOf));
    }
  }
}

/** Undefined: no text. A variable without a value is the shell's. */
function partsOf(node: Node, key: string): Part[] | undefined {
  if (node.kind !== "scalar") return undefined;
  if (node.value === null && !/^[A-Za-z_]\w*$/.test(key)) return undefined;
  if (node.value === null)
    return [{ kind: "env", scope: "shell", name: key, otherwise: undefined }];
  if (node.text.includes("\0")) return undefined;
  return composeParts(node.text);
}

function isEmpty(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

export function isVariable(name: string): boolean {
  return !unsafeKeys.includes(name) && /^[^=\0\s$]+$/.test(name);
}

/** `A: ${A}` and `A: ${A:-1}`. */
function isItself(parts: readonly Part[], key: string): boolean {
  const [part] = parts;
  if (parts.length !== 1 || typeof part !== "object" || part.kind !== "env") return false;
  return part.name === key && !(part.otherwise?.operator.endsWith("+") ?? false);
}
