/** `localhostess config check|show|schema` -> the effective configuration of a project, or every error in it. */
import { join } from "node:path";
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import { startOrder, graphOf } from "../../manifest/graph.ts";
import type { Origin } from "../../manifest/config.ts";
import { noLine } from "../../manifest/layer.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import type { Field } from "../../manifest/read/fields.ts";
import { projectSchema, serviceSchema } from "../../manifest/schema.ts";
import { tomlKey, tomlValue } from "../../manifest/write-toml.ts";
import { jsonForm } from "../../routes/json-form.ts";
import { configuration } from "../shared/configuration.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import {
  noProjectText,
  projectIn,
  type ProjectPlace,
  projectPlaceOf,
} from "../shared/project-files.ts";
import type { World } from "../shared/world.ts";

export type ConfigFlags = { json?: boolean; provenance?: boolean; file?: string };

/** Characters of a line that is printed. */
const longestLine = 2000;

export async function configCheck(
  path: string | undefined,
  flags: ConfigFlags,
  world: World,
): Promise<number> {
  const { json = false } = flags;
  const { directory, file } = await placeOf(path, flags, world);
  const read = await projectIn(directory, world, { file });
  if (read.kind === "none") throw new Failure("no_project", await noProjectText(directory, world));
  const mistakes = read.kind === "mistakes" ? [...read.mistakes] : [];
  // The rest of config.toml, which concerns no project; invalid TOML has been reported.
  const global = await configuration(world);
  if (global.kind === "mistakes") {
    mistakes.push(...global.mistakes.filter((text) => !text.includes(": invalid TOML: ")));
  }
  const services = read.kind === "project" ? read.project.services : [];
  const warnings = read.kind === "project" ? read.project.warnings : [];
  const order = startOrder(graphOf(services));
  if (json) {
    const name = read.kind === "project" ? read.project.name : null;
    const report = { project: name, directory, order, mistakes, warnings };
    printJson(world, report);
  } else if (mistakes.length > 0) {
    tellMistakes(mistakes, world);
  } else if (read.kind === "project") {
    tellMistakes(warnings, world, "warning: ");
    const count = counted(services.length, "service");
    world.out.write(`${read.project.name}: no errors; ${count}: ${order.join(", ")}\n`);
  }
  return mistakes.length > 0 ? 1 : 0;
}

export async function configShow(
  path: string | undefined,
  flags: ConfigFlags,
  world: World,
): Promise<number> {
  const { json = false, provenance = false } = flags;
  const { directory, file } = await placeOf(path, flags, world);
  const read = await projectIn(directory, world, { file });
  if (read.kind === "none") throw new Failure("no_project", await noProjectText(directory, world));
  if (read.kind === "mistakes") {
    tellMistakes(read.mistakes, world);
    if (world.json !== undefined) {
      world.json.code = "invalid_project";
      world.json.more.push(...read.mistakes);
    }
    return 1;
  }
  const { project, fields } = read;
  if (json) {
    const from = fields.map(({ path: key, value, origin }) => ({
      key: key.map((part) => tomlKey(String(part))).join("."),
      value,
      file: origin?.file ?? null,
      // A value of a plan has no line.
      line: origin === undefined || origin.line === noLine ? null : origin.line,
    }));
    const its = projectForm(project);
    printJson(world, provenance ? { ...its, provenance: from } : its);
    return 0;
  }
  for (const line of tomlOf(fields, provenance)) world.out.write(`${line}\n`);
  return 0;
}

/** Variables and conditions keep their names: these keys are the person's. */
function projectForm(project: ProjectSpec) {
  const services = project.services.map(({ env, conditions, ...its }) => ({
    ...jsonForm(its),
    env,
    conditions,
  }));
  return { ...jsonForm({ ...project, services: [] }), services };
}

async function placeOf(
  path: string | undefined,
  { file }: ConfigFlags,
  world: World,
): Promise<ProjectPlace> {
  if (file === undefined) return await projectPlaceOf(path, world);
  return await projectPlaceOf(join(path ?? ".", file), world, { any: true });
}

export async function configSchema(world: World): Promise<number> {
  const { jsonSchema } = await import("../../manifest/json-schema.ts");
  printJson(world, jsonSchema());
  return 0;
}

function tellMistakes(mistakes: readonly string[], { err }: World, kind = ""): void {
  // Without the program's name in front, so that editors and terminals make links of file and line.
  for (const text of mistakes) err.write(`${kind}${printable(text, longestLine)}\n`);
}

/** The lines of a file with the same values. */
function* tomlOf(fields: readonly Field[], provenance: boolean): Generator<string> {
  const tables = new Map<string, Field[]>();
  for (const field of fields) {
    const name = field.path
      .slice(0, -1)
      .map((part) => tomlKey(String(part)))
      .join(".");
    tables.set(name, [...(tables.get(name) ?? []), field]);
  }
  let first = true;
  for (const name of inOrder([...tables.keys()])) {
    if (!first) yield "";
    first = false;
    yield `[${name}]`;
    for (const { path, value, origin } of tables.get(name)!.sort(byKey)) {
      const pair = `${tomlKey(String(path.at(-1)))} = ${tomlValue(value)}`;
      const from = origin === undefined ? "default" : originText(origin);
      // Characters of a file's name that would end the comment are escaped.
      yield provenance ? `${pair}  # ${printable(from, longestLine)}` : pair;
    }
  }
}

/** `locald.toml:3`, or `from plugin redis`. */
function originText({ file, line }: Origin): string {
  return line === noLine ? `from ${file}` : `${file}:${line}`;
}

/** The order of the schema; variables stay in their order. */
function byKey(one: Field, other: Field): number {
  const keys = Object.keys({ ...projectSchema.entries, ...serviceSchema.entries });
  return keys.indexOf(String(one.path.at(-1))) - keys.indexOf(String(other.path.at(-1)));
}

/** The project first, then shared variables, then the services in their order. */
function inOrder(names: readonly string[]): string[] {
  const rank = (name: string): number => (name === "project" ? 0 : name === "env" ? 1 : 2);
  return [...names].sort((one, other) => rank(one) - rank(other));
}
