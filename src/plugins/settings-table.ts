/** Keys with dots and their values -> the table that they stand for, or the errors in them. Pure. */
import { shown } from "../text/shown.ts";

export type SettingsTable = {
  table: Record<string, unknown>;
  /** Each at the index of its key. */
  mistakes: readonly { index: number; what: string }[];
};

type Branch = Map<string, Branch | Leaf>;
type Leaf = { value: unknown };

/** The deepest table of a service is `health_check`; settings of stores have none within. */
const deepest = 8;

export function settingsTable(settings: readonly (readonly [string, unknown])[]): SettingsTable {
  const mistakes: { index: number; what: string }[] = [];
  const root: Branch = new Map();
  for (const [index, [key, value]] of settings.entries()) {
    const what = put(root, key, value);
    if (what !== undefined) mistakes.push({ index, what });
  }
  const whole = (prefix: string): number => settings.findIndex(([key]) => key.startsWith(prefix));
  const gap = (key: string, missing: number): void => {
    const what = `${shown(`${key}.${missing}`)} is missing; a list has all its places from 0`;
    mistakes.push({ index: whole(`${key}.`), what });
  };
  const table = tableFrom(root, { prefix: "", gap });
  return { table: table as Record<string, unknown>, mistakes };
}

/** Adds the value. @returns a sentence where its key cannot be. */
function put(root: Branch, key: string, value: unknown): string | undefined {
  const words = key.split(".");
  if (words.includes(""))
    return `${shown(key)} is no key; expected one such as "port" or "env.PORT"`;
  if (words.length > deepest) return `${shown(key)} has too many dots`;
  let here = root;
  for (const [depth, word] of words.slice(0, -1).entries()) {
    const next = here.get(word) ?? new Map<string, Branch | Leaf>();
    if (!(next instanceof Map))
      return `${shown(words.slice(0, depth + 1).join("."))} is set as a value too`;
    here.set(word, next);
    here = next;
  }
  const last = words.at(-1)!;
  const there = here.get(last);
  if (there instanceof Map) return "it is set as a table or a list too";
  if (there !== undefined) return "it is set twice";
  here.set(last, { value });
  return undefined;
}

function tableFrom(
  branch: Branch,
  { prefix, gap }: { prefix: string; gap: (key: string, missing: number) => void },
): unknown {
  const keys = [...branch.keys()];
  const of = (key: string): unknown => {
    const node = branch.get(key)!;
    const its = prefix === "" ? key : `${prefix}.${key}`;
    return node instanceof Map ? tableFrom(node, { prefix: its, gap }) : node.value;
  };
  if (prefix !== "" && keys.every((key) => /^(?:0|[1-9][0-9]{0,3})$/.test(key))) {
    const missing = keys.findIndex((_, index) => !branch.has(String(index)));
    if (missing !== -1) gap(prefix, missing);
    return keys
      .map(Number)
      .sort((one, other) => one - other)
      .map((index) => of(String(index)));
  }
  return Object.fromEntries(keys.map((key) => [key, of(key)]));
}

/** The inverse, for a service as a file has it: each value at its key with dots. */
export function settingsOf(table: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]) => entriesOf(key, value));
}

function entriesOf(key: string, value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null || value instanceof Date) return [[key, value]];
  return Object.entries(value).flatMap(([its, part]) => entriesOf(`${key}.${its}`, part));
}
