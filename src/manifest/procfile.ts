/** The text of a Procfile -> the layer that a locald.toml of the same meaning would be. Pure. */
import { type Layer, layerOf, type Mistake } from "./layer.ts";
import type { ServiceType } from "./types/own.ts";
import { labelFrom } from "./project-name.ts";

/** The names that are looked for, in this order. */
export const procfileNames: readonly string[] = ["Procfile.dev", "Procfile"];

const entry = /^([^\s:#]+)\s*:\s*(.*)$/;
/** The names that foreman takes. */
const validName = /^[A-Za-z0-9_-]+$/;

/**
 * `web` is a server; the others get a port as well, as with foreman, and need not listen. `release` is what Heroku runs
 * for a release: a task.
 */
export function procfileType(name: string): ServiceType {
  if (name === "release") return "task";
  return name === "web" ? "exec" : "process";
}

/** A release is no part of every start: only its name runs it. */
function declaredAs(name: string): { type: ServiceType; disabled?: boolean } {
  const type = procfileType(name);
  return type === "task" ? { type, disabled: true } : { type };
}

export function readProcfile(text: string, name: string): Layer {
  const services: Record<string, unknown> = {};
  const lines = new Map<string, number>();
  const wrong: { line: number; what: string }[] = [];
  for (const { row, line } of rowsOf(text)) {
    const trimmed = row.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, key, command] = trimmed.match(entry) ?? [];
    if (key === undefined || command === undefined || command === "") {
      wrong.push({ line, what: 'expected a line such as "web: bun dev"' });
    } else if (!validName.test(key)) {
      const near = labelFrom(key);
      const help = near === undefined ? "" : `, such as "${near}"`;
      const what = `${JSON.stringify(key)}: a name has only letters, digits, _ and -${help}`;
      wrong.push({ line, what });
    } else if (lines.has(key)) {
      wrong.push({ line, what: `"${key}" is already defined in line ${lines.get(key)}` });
    } else {
      lines.set(key, line);
      // Defined, and not assigned: a name such as `__proto__` is a service like any other.
      Object.defineProperty(services, key, {
        value: { ...declaredAs(key), command },
        enumerable: true,
      });
    }
  }
  const lineOf = (service: unknown): number => lines.get(String(service)) ?? 1;
  const layer = layerOf(
    { value: { services }, placeOf: (path) => ({ line: lineOf(path[1]), column: 1 }) },
    name,
  );
  const mistakes: Mistake[] = wrong.map(({ line, what }) => ({
    source: { name, lineOf: () => line },
    path: [],
    what,
  }));
  return { ...layer, mistakes: [...mistakes, ...layer.mistakes] };
}

/** Lines with their numbers; a backslash at the end continues a line, as in the shell that gets it. */
function* rowsOf(text: string): Generator<{ row: string; line: number }> {
  const rows = text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
  let begun: { row: string; line: number } | undefined;
  for (const [index, row] of rows.entries()) {
    const { row: before, line } = begun ?? { row: "", line: index + 1 };
    const whole = before + row;
    const isComment = whole.trimStart().startsWith("#");
    if (!isComment && /(?<!\\)(?:\\\\)*\\$/.test(row) && index < rows.length - 1) {
      begun = { row: whole.slice(0, -1), line };
      continue;
    }
    begun = undefined;
    yield { row: whole, line };
  }
}
