/** The text of a compose file -> what is made of it, with no file system around it. */
import { composed, type Composed } from "../../../src/manifest/compose/convert.ts";
import { parse } from "smol-toml";

export type Around = {
  /** Other files, by their path from the project's folder. */
  files?: Record<string, string>;
  dotenv?: Record<string, string>;
  shell?: Record<string, string>;
  taken?: readonly string[];
  paths?: readonly string[];
};

export function compose(text: string, around: Around = {}): Composed {
  const { files = {}, dotenv = {}, shell = {}, taken = [], paths = ["compose.yaml"] } = around;
  const all: Record<string, string> = { "compose.yaml": text, ...files };
  return composed({
    paths,
    read: (path) =>
      Object.hasOwn(all, path)
        ? { kind: "text", text: all[path]! }
        : { kind: "unreadable", why: "no such file" },
    variables: (name, otherwise) => dotenv[name] ?? (otherwise ? undefined : shell[name]),
    dotenv: new Set(Object.keys(dotenv)),
    exists: (path) => Object.hasOwn(all, path),
    taken,
  });
}

export function mistakesOf(text: string, around?: Around): string[] {
  const its = compose(text, around);
  return its.kind === "mistakes" ? its.mistakes : [];
}

/** As `init` writes it, without what other files declare. */
export function tomlOf(text: string, around?: Around): string {
  const its = compose(text, around);
  if (its.kind === "mistakes") throw new Error(its.mistakes.join("\n"));
  return [...its.comments, ...its.services.map((service) => service.text)].join("\n");
}

export function servicesOf(text: string, around?: Around): Record<string, Record<string, unknown>> {
  const { services = {} } = parse(tomlOf(text, around));
  return services as Record<string, Record<string, unknown>>;
}

/** Of `services: { a: ... }` alone, without its type. */
export function keysOf(yaml: string, around?: Around): Record<string, unknown> {
  const { type, ...keys } = servicesOf(`services:\n  a: { image: i, ${yaml} }\n`, around).a!;
  if (type !== "container" || keys.image !== "i") throw new Error("no container");
  const { image: _, ...rest } = keys;
  return rest;
}

/** The comments, without their marks. */
export function notesOf(text: string, around?: Around): string[] {
  const lines = tomlOf(text, around).split("\n");
  return lines.filter((line) => /^# \S+:\d+: /.test(line)).map((line) => line.slice(2));
}
