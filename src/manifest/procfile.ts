/** The text of a Procfile -> the layer that a locald.toml of the same meaning would be. Pure. */
import { type Layer, layerOf, type Mistake } from "./layer.ts";

const entry = /^([A-Za-z0-9_-]+)\s*:\s*(.*)$/;

/** `web` is a server, the others are workers. */
export function readProcfile(text: string, name: string): Layer {
  const services: Record<string, unknown> = {};
  const lines = new Map<string, number>();
  const wrong: { line: number; what: string }[] = [];
  for (const [index, row] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    const trimmed = row.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, key, command] = trimmed.match(entry) ?? [];
    if (key === undefined || command === undefined || command === "") {
      wrong.push({ line, what: 'expected a line such as "web: bun dev"' });
    } else if (lines.has(key)) {
      wrong.push({ line, what: `"${key}" is already defined in line ${lines.get(key)}` });
    } else {
      lines.set(key, line);
      // Defined, and not assigned: a name such as `__proto__` is a service like any other.
      Object.defineProperty(services, key, {
        value: { type: key === "web" ? "exec" : "worker", command },
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
