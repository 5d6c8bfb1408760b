/** A place of builds -> what the last one declares, and the words, variables and folder with which it is started. */
import { access, constants, readdir, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { spoken } from "../../system/spoken.ts";
import { listed } from "../../text/list.ts";
import { shown } from "../../text/shown.ts";
import type { Launchable, LaunchProcess } from "./buildpack.ts";
import { usualExecEnv } from "./environment.ts";
import { folderOf, lastResult, launchableOf, layersName, seenIn } from "./generations.ts";
import { type Environment, type LayerFolder, withLayers } from "./layer-environment.ts";
import { readLayer } from "./layer-toml.ts";
import { isForEnv } from "./order.ts";
import { readTable } from "./read-table.ts";
import { layersIn, longestToml } from "./restore.ts";
import { runScript } from "./run-script.ts";

export type LaunchOptions = {
  launchable: Launchable;
  /** A type of launch.toml. Undefined: the default one, else `web`, else the only one. */
  process: string | undefined;
  /** A command in the place of a process, also where the build declares none: it begins in the app's folder. */
  words?: readonly string[];
  /** Words of a person, which replace the process's own args. */
  args: readonly string[];
  /** The service's, whole. */
  env: Readonly<Record<string, string>>;
  /** A line of an exec.d program, or about one. */
  write(line: string): void;
  signal?: AbortSignal;
};

export type Launch =
  /** The first word is an absolute path. */
  | { kind: "launch"; words: [string, ...string[]]; env: Environment; workdir: string }
  /** `why`: a sentence for a person. */
  | { kind: "cannot"; why: string };

/** Milliseconds: an exec.d program computes variables. */
const longestExecD = 60_000;
/** Bytes of what it says on descriptor 3. */
const mostOutput = 4 * 1024 * 1024;

/** The last build that succeeded, also while the next one is under way. Undefined: there is none. */
export function lastBuilt(place: string): Launchable | undefined {
  const its = lastResult(place);
  return its === undefined ? undefined : launchableOf(its);
}

/**
 * buildpack.md, Launch, and platform.md, launcher. Paths in what is returned are those of the generation itself, not
 * of `at`: a build beside the running process has `at` lead elsewhere.
 */
export async function launchOf(place: string, options: LaunchOptions): Promise<Launch> {
  const { launchable, args, write } = options;
  const chosen = commandOf(place, options);
  if (typeof chosen === "string") return { kind: "cannot", why: chosen };
  const here = folderOf(place, launchable.generation);
  const own = (text: string): string =>
    text === join(place, "at") ? here : text.replaceAll(`${place}/at/`, `${here}/`);
  const layers = await launchLayers(join(here, "layers"), launchable);
  let env = withoutOurs(options.env);
  const persons = personsIn(env);
  for (const its of layers) {
    env = withLayers(env, { layers: its, phase: "launch", process: chosen.type, write });
    // Not a buildpack's to set (buildpack.md, Provided by the Platform).
    env = { ...env, ...persons };
  }
  env = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, own(value)]));
  const app = own(seenIn(place).app);
  const folders = ["exec.d"];
  if (chosen.type !== undefined) folders.push(join("exec.d", chosen.type));
  for (const folder of folders) {
    for (const { path } of layers.flat()) {
      const ran = await execD(join(path, folder), { ...options, env, app });
      if (ran.kind === "cannot") return ran;
      env = { ...env, ...ran.variables, ...persons };
    }
  }
  const workdir = own(chosen.workdir);
  const [program, ...rest] = chosen.command.map(own);
  const found = await programAt(program!, { workdir, PATH: env.PATH ?? "" });
  if (found === undefined) {
    const where = program!.includes("/") ? `in ${workdir}` : "in its PATH";
    const what = options.words === undefined ? `the process ${chosen.type}` : "the command";
    const why = `${what} begins with ${shown(program)}, and there is no such program ${where}`;
    return { kind: "cannot", why };
  }
  const words: [string, ...string[]] = [
    found,
    ...rest,
    ...(args.length > 0 ? args : chosen.args.map(own)),
  ];
  return { kind: "launch", words, env: { ...env, PWD: workdir }, workdir };
}

/** A sentence where there is none. */
function commandOf(
  place: string,
  { launchable, process, words }: LaunchOptions,
): (Pick<LaunchProcess, "command" | "args" | "workdir"> & { type: string | undefined }) | string {
  if (words === undefined) return chosenOf(launchable, process);
  const { app } = seenIn(place);
  return { type: process, command: words, args: [], workdir: app };
}

/** A sentence where there is none. */
function chosenOf({ processes }: Launchable, type: string | undefined): LaunchProcess | string {
  const types = listed(processes.map((its) => its.type));
  if (processes.length === 0) {
    return "the build declares no process; give the service a command, or a buildpack that writes launch.toml";
  }
  if (type !== undefined) {
    const its = processes.find((one) => one.type === type);
    return its ?? `the build declares no process ${shown(type)}; it has ${types}`;
  }
  const its = processes.find((one) => one.isDefault) ?? processes.find((one) => one.type === "web");
  if (its !== undefined) return its;
  if (processes.length === 1) return processes[0]!;
  return `the build declares no default process; name one of ${types} by process = "…" in build`;
}

/** platform.md, Launch Environment; and what buildpacks only are told. */
function withoutOurs(env: Readonly<Record<string, string>>): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("CNB_")));
}

function personsIn(env: Environment): Environment {
  const its = Object.entries(env).filter(([name]) => name === "HOME" || name.startsWith("BPL_"));
  return Object.fromEntries(its);
}

/** For each buildpack in order, its layers for launch, ascending by name. */
async function launchLayers(layers: string, { group }: Launchable): Promise<LayerFolder[][]> {
  const all: LayerFolder[][] = [];
  for (const { id } of group) {
    const folder = join(layers, layersName(id));
    const its: LayerFolder[] = [];
    for (const name of layersIn(await readdir(folder).catch(() => [] as string[]))) {
      const read = await readText(join(folder, `${name}.toml`), { longest: longestToml });
      const layer = read.kind === "text" ? readLayer(read.text) : undefined;
      if (layer?.kind !== "layer" || !layer.types.launch) continue;
      if (isForEnv(layer.execEnvs, usualExecEnv)) its.push({ path: join(folder, name) });
    }
    all.push(its);
  }
  return all;
}

type ExecD = { kind: "variables"; variables: Environment } | { kind: "cannot"; why: string };

/** buildpack.md, Exec.d: files in order of their names, each with the variables of those before. */
async function execD(
  folder: string,
  { env, app, write, signal }: LaunchOptions & { app: string },
): Promise<ExecD> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  let variables: Environment = {};
  for (const file of files.sort()) {
    const path = join(folder, file);
    const cannot = (why: string): ExecD => ({ kind: "cannot", why: `${path} ${why}` });
    const said = spoken({ platform: process.platform, most: mostOutput });
    const ending = await runScript(
      {
        path,
        args: [],
        cwd: app,
        env: { ...env, ...variables, PWD: app },
        limit: longestExecD,
        third: said.descriptor,
      },
      { line: write, signal: signal ?? new AbortController().signal },
    );
    const text = await said.text();
    if (ending.kind !== "ended") {
      return cannot(ending.kind === "unstartable" ? `cannot be run: ${ending.why}` : "was ended");
    }
    if (ending.code !== 0) return cannot(`ended with ${ending.code}`);
    if (text === undefined) return cannot("says too much on descriptor 3");
    const read = readTable(text);
    if (read.kind === "mistake") return cannot(`says no TOML on descriptor 3: ${read.what}`);
    for (const [name, value] of Object.entries(read.table)) {
      if (typeof value !== "string" || value.includes("\0") || !/^[A-Za-z_][\w]*$/.test(name)) {
        return cannot(`says ${name} = ${shown(value)}, and a variable is a text`);
      }
      variables = { ...variables, [name]: value };
    }
  }
  return { kind: "variables", variables };
}

/** A name is looked for in PATH; one with a slash begins in the working directory. Undefined: there is none. */
async function programAt(
  name: string,
  { workdir, PATH }: { workdir: string; PATH: string },
): Promise<string | undefined> {
  const folders = name.includes("/") ? [""] : PATH.split(":");
  for (const folder of folders) {
    const path = isAbsolute(name) ? name : join(isAbsolute(folder) ? "" : workdir, folder, name);
    const its = await stat(path).catch(() => undefined);
    if (its?.isFile() !== true) continue;
    const isRunnable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isRunnable) return path;
  }
  return undefined;
}
