/** The folder of a buildpack -> what its buildpack.toml says, with `targets` as the Buildpacks spec infers them. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { type Path, readToml } from "../../manifest/toml.ts";
import { TomlValues } from "../../manifest/toml-values.ts";
import { readText } from "../../system/read-text.ts";
import { listed } from "../../text/list.ts";
import { printablePath } from "../../text/printable.ts";
import { shown } from "../../text/shown.ts";
import type { Buildpack, Group, GroupEntry, Order, Target } from "./buildpack.ts";

export type ReadBuildpack =
  | { kind: "buildpack"; buildpack: Buildpack }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

/** Versions of the Buildpack API that are spoken here. */
export const knownApis: readonly string[] = ["0.10", "0.11", "0.12"];

/** Bytes; a person's has less than 10 KiB, a composite with a hundred versions has less than 100. */
const longest = 1024 * 1024;

const idForm = /^[A-Za-z0-9./-]+$/;
const reservedIds: readonly string[] = ["app", "config", "generated", "sbom"];
const versionForm = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/** `directory` is absolute. Never rejects. */
export async function readBuildpack(directory: string): Promise<ReadBuildpack> {
  const file = join(directory, "buildpack.toml");
  const its = await readText(file, { longest });
  if (its.kind === "missing") return { kind: "failed", why: await whyMissing(directory) };
  if (its.kind === "unreadable") {
    return { kind: "failed", why: `${printablePath(file)} cannot be read: ${its.why}` };
  }
  const read = buildpackIn(its.text, directory);
  if (read.kind === "failed") return { kind: "failed", why: `${printablePath(file)}${read.why}` };
  const { buildpack } = read;
  if (buildpack.order !== undefined || buildpack.targets.length > 0) return read;
  return { kind: "buildpack", buildpack: { ...buildpack, targets: await inferred(directory) } };
}

async function whyMissing(directory: string): Promise<string> {
  const path = printablePath(directory);
  const exists = async (name: string): Promise<boolean> =>
    (await lstat(join(directory, name)).catch(() => undefined)) !== undefined;
  if (await exists("extension.toml")) {
    return `${path} is an image extension, and image extensions need a builder image: build = { builder = "…" }`;
  }
  if (!(await exists("."))) return `there is no folder ${path}`;
  if ((await exists("HEAD")) && (await exists("objects"))) {
    return `${path} is a repository of git without files; clone it, and name the clone`;
  }
  return `${path} is no buildpack, as it has no buildpack.toml; name the folder that has one`;
}

/** Where no target is declared, the programs say for which systems it is. Buildpacks spec, "Targets". */
async function inferred(directory: string): Promise<Target[]> {
  const has = async (name: string): Promise<boolean> =>
    (await lstat(join(directory, "bin", name)).catch(() => undefined)) !== undefined;
  const ofAny = { arch: undefined, variant: undefined, distros: [] };
  const targets: Target[] = [];
  if (await has("build")) targets.push({ os: "linux", ...ofAny });
  if ((await has("build.bat")) || (await has("build.exe"))) {
    targets.push({ os: "windows", ...ofAny });
  }
  return targets;
}

/** `why` is what follows the path of the file. Pure. */
export function buildpackIn(text: string, directory: string): ReadBuildpack {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    return { kind: "failed", why: `:${line}:${column}: invalid TOML: ${toml.why}` };
  }
  const values = new TomlValues(toml.document);
  const api = apiIn(values);
  // With another API everything else may be otherwise: only this is told.
  if (api === undefined) return { kind: "failed", why: values.sentence };
  const order = values.has(["order"]) ? orderIn(values) : undefined;
  if (order !== undefined && values.has(["stacks"])) {
    values.add(["stacks"], "has no place beside order: a composite runs nothing itself; remove it");
  }
  const buildpack = {
    ...namesIn(values),
    name: values.text(["buildpack", "name"]),
    homepage: values.text(["buildpack", "homepage"]),
    api,
    directory,
    clearEnv: values.flag(["buildpack", "clear-env"]) ?? false,
    targets: targetsIn(values),
    execEnvs: execEnvsIn(values),
    order,
  };
  const why = values.sentence;
  return why === "" ? { kind: "buildpack", buildpack } : { kind: "failed", why };
}

/** Undefined: a mistake. */
function apiIn(values: TomlValues): string | undefined {
  const api = values.text(["api"]);
  if (api !== undefined && knownApis.includes(api)) return api;
  if (api === undefined) {
    if (!values.has(["api"])) values.add([], 'has no api, such as api = "0.11"');
    return undefined;
  }
  const spoken = `Buildpack API ${listed(knownApis, { conjunction: "or" })} is spoken here`;
  const other = /^0\.\d$/.test(api) ? "a newer" : "an older";
  const way = `take ${other} version of this buildpack, or build in an engine: build = { builder = "…" }`;
  values.add(["api"], `${shown(api)} is not known, ${spoken}; ${way}`);
  return undefined;
}

function namesIn(values: TomlValues): { id: string; version: string } {
  if (!values.has(["buildpack"])) {
    values.add([], "has no table [buildpack], with the id and the version of the buildpack");
    return { id: "", version: "" };
  }
  if (values.table(["buildpack"]) === undefined) return { id: "", version: "" };
  const id = values.needed(["buildpack", "id"]) ?? "";
  if (id !== "" && (!idForm.test(id) || id.split("/").some((part) => /^\.*$/.test(part)))) {
    values.add(["buildpack", "id"], `${shown(id)} is no id such as example/node`);
  } else if (reservedIds.includes(id)) {
    values.add(
      ["buildpack", "id"],
      `${shown(id)} is reserved by the Buildpacks spec; take another`,
    );
  }
  const version = values.needed(["buildpack", "version"]) ?? "";
  if (version !== "" && !versionForm.test(version)) {
    values.add(["buildpack", "version"], `${shown(version)} is no version such as 1.2.3`);
  }
  return { id, version };
}

function orderIn(values: TomlValues): Order {
  return values.tables(["order"]).map((path): Group => {
    if (!values.has([...path, "group"])) values.add(path, "has no group");
    return values.tables([...path, "group"]).map((its): GroupEntry => {
      const id = values.needed([...its, "id"]) ?? "";
      const version = values.needed([...its, "version"]);
      const optional = values.flag([...its, "optional"]) ?? false;
      return { id, version, optional, execEnvs: values.texts([...its, "exec-env"]) ?? [] };
    });
  });
}

/** `stacks` is what stood in the place of `targets` before 0.10. Buildpacks spec, "Deprecations". */
function targetsIn(values: TomlValues): Target[] {
  const text = (path: Path): string | undefined => values.text(path) || undefined;
  const targets = values.tables(["targets"]).map((path): Target => ({
    os: text([...path, "os"]),
    arch: text([...path, "arch"]),
    variant: text([...path, "variant"]),
    distros: values.tables([...path, "distros"]).map((its) => ({
      name: text([...its, "name"]),
      version: text([...its, "version"]),
    })),
  }));
  const stacks = values.tables(["stacks"]).flatMap((path): Target[] => {
    const id = values.text([...path, "id"]);
    if (id === "*") return [{ os: undefined, arch: undefined, variant: undefined, distros: [] }];
    if (id !== "io.buildpacks.stacks.bionic") return [];
    const distros = [{ name: "ubuntu", version: "18.04" }];
    return [{ os: "linux", arch: "amd64", variant: undefined, distros }];
  });
  return [...targets, ...stacks];
}

function execEnvsIn(values: TomlValues): string[] {
  return values
    .tables(["buildpack", "exec-env"])
    .flatMap((path) => values.needed([...path, "name"]) ?? []);
}
