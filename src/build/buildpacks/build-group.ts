/** A group of buildpacks and its plan -> what each of them contributes, by their bin/build in order. */
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readText } from "../../system/read-text.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { listed } from "../../text/list.ts";
import type { BuildEffects, Buildpack, PlanEntry, Requirement } from "./buildpack.ts";
import { execEnvVariables } from "./detect.ts";
import { withVariables } from "./environment.ts";
import { layersName } from "./generations.ts";
import { type LaunchToml, noLaunch, readLaunch, readUnmet } from "./launch-toml.ts";
import { type Environment, withLayers } from "./layer-environment.ts";
import { type LayerTypes, readLayer } from "./layer-toml.ts";
import { literalPaths } from "./literal-paths.ts";
import { isForEnv } from "./order.ts";
import { layersIn, longestToml, notLayers } from "./restore.ts";
import { runScript } from "./run-script.ts";

export type BuildGroupOptions = {
  group: readonly Buildpack[];
  plan: readonly PlanEntry[];
  /** Absolute, as buildpacks see them. */
  app: string;
  layers: string;
  /** The platform's folder, with `env` in it. */
  platform: string;
  /** A folder for files that are ours. */
  scratch: string;
  /** Given to every buildpack: variables of the shell, and CNB_TARGET_*. */
  env: Environment;
  variables: Readonly<Record<string, string>>;
  execEnv: string;
};

export type Layer = { name: string; types: LayerTypes; hasContent: boolean };

export type Contribution = {
  buildpack: Buildpack;
  /** Ascending by name. */
  layers: readonly Layer[];
  launch: LaunchToml;
};

export type BuiltGroup =
  | { kind: "built"; contributions: readonly Contribution[] }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

const ignoredEnd = ".ignore";

/** @throws what the system says, such as ENOSPC, and the signal's reason. */
export async function buildGroup(
  options: BuildGroupOptions,
  effects: BuildEffects,
): Promise<BuiltGroup> {
  const { group, variables } = options;
  const contributions: Contribution[] = [];
  const left = new Set(options.plan);
  let env = options.env;
  for (const buildpack of group) {
    effects.signal.throwIfAborted();
    const { id } = buildpack;
    effects.phase("building", id);
    const write = (line: string) => effects.write(`[${id}] ${line}`);
    const its = join(options.layers, layersName(id));
    await mkdir(its, { recursive: true, mode: 0o700 });
    const mine = [...left].filter((entry) => entry.providers.includes(id));
    const planPath = join(options.scratch, "plan.toml");
    await writeAtomically(planPath, planText(mine.flatMap((entry) => entry.requires)));
    const ending = await runScript(
      {
        path: join(buildpack.directory, "bin/build"),
        // Deprecated by Buildpack API 0.8, and still given.
        args: [its, options.platform, planPath],
        cwd: options.app,
        env: {
          ...(buildpack.clearEnv ? env : withVariables(env, variables)),
          // A shell takes the path of its folder from here; the system tells one without our link.
          PWD: options.app,
          CNB_LAYERS_DIR: its,
          CNB_PLATFORM_DIR: options.platform,
          CNB_BP_PLAN_PATH: planPath,
          CNB_BUILDPACK_DIR: buildpack.directory,
          ...execEnvVariables(buildpack.api, options.execEnv),
        },
        limit: undefined,
      },
      { line: write, signal: effects.signal },
    );
    effects.signal.throwIfAborted();
    const wrong = endingWords(ending);
    if (wrong !== undefined) {
      const hint = await literalPaths(buildpack);
      if (hint !== undefined) effects.write(hint);
      return failed(`${id}: bin/build ${wrong}`);
    }
    const read = await contributed(buildpack, { its, options, mine, write });
    if (read.kind === "mistake") return failed(`${id}: ${read.what}`);
    contributions.push(read.contribution);
    await hideIgnored(its, read.contribution.layers);
    for (const entry of mine) {
      const next = entry.providers.slice(entry.providers.indexOf(id) + 1);
      left.delete(entry);
      // Only a later buildpack may meet what this one has not.
      if (read.unmet.has(entry.name)) left.add({ ...entry, providers: next });
    }
    const forBuild = read.contribution.layers.filter((layer) => layer.types.build);
    const { HOME } = env;
    env = withLayers(env, {
      layers: forBuild.map(({ name }) => ({ path: join(its, name) })),
      phase: "build",
      process: undefined,
      write,
    });
    // Not a buildpack's to set (buildpack.md, Provided by the Platform).
    if (HOME !== undefined) env.HOME = HOME;
  }
  for (const { name, providers } of left) {
    if (providers.length === 0) effects.write(`${name} was required, and no buildpack has met it`);
  }
  return { kind: "built", contributions };
}

function endingWords(ending: Awaited<ReturnType<typeof runScript>>): string | undefined {
  if (ending.kind === "ended") {
    return ending.code === 0 ? undefined : `ended with ${ending.code}`;
  }
  if (ending.kind === "killed") return `was ended by ${ending.signal}`;
  if (ending.kind === "unstartable") return `cannot be run: ${ending.why}`;
  return "was ended";
}

type Contributed =
  | { kind: "contributed"; contribution: Contribution; unmet: ReadonlySet<string> }
  | { kind: "mistake"; what: string };

type ContributedOptions = {
  its: string;
  options: BuildGroupOptions;
  mine: readonly PlanEntry[];
  write(line: string): void;
};

/** Reads the buildpack's folder after its turn. */
async function contributed(
  buildpack: Buildpack,
  { its, options, mine, write }: ContributedOptions,
): Promise<Contributed> {
  const entries = await readdir(its, { withFileTypes: true });
  const files = entries.map((entry) => entry.name);
  const folders = new Set(
    entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
  );
  const reserved = notLayers.find((name) => folders.has(name));
  if (reserved !== undefined) return mistake(`a layer cannot have the name ${reserved}`);
  const textOf = async (file: string) => {
    const read = await readText(join(its, file), { longest: longestToml });
    return read.kind === "missing" ? { kind: "text" as const, text: "" } : read;
  };
  const layers: Layer[] = [];
  for (const name of layersIn(files)) {
    const file = `${name}.toml`;
    const read = await textOf(file);
    if (read.kind !== "text") return mistake(`${file}: ${read.why}`);
    const layer = readLayer(read.text);
    if (layer.kind === "mistake") return mistake(`${file}: ${layer.what}`);
    const { execEnvs, others } = layer;
    if (others.length > 0) {
      write(`${file}: ${listed(others)} of [types] not used: it has build, launch and cache`);
    }
    const isHere = isForEnv(execEnvs, options.execEnv);
    const types = isHere ? layer.types : { build: false, launch: false, cache: layer.types.cache };
    const hasContent = folders.has(name);
    // buildpack.md, Reusing Layers: both are for content that is there.
    for (const type of ["build", "cache"] as const) {
      if (types[type] && !hasContent) {
        return mistake(`${file} says ${type} = true, and there is no folder ${name}`);
      }
    }
    layers.push({ name, types, hasContent });
  }
  const launchText = await textOf("launch.toml");
  if (launchText.kind !== "text") return mistake(`launch.toml: ${launchText.why}`);
  const { app, execEnv } = options;
  const launch = launchText.text === "" ? noLaunch : readLaunch(launchText.text, { app, execEnv });
  if ("kind" in launch && launch.kind === "mistake") return mistake(`launch.toml: ${launch.what}`);
  const buildText = await textOf("build.toml");
  if (buildText.kind !== "text") return mistake(`build.toml: ${buildText.why}`);
  const unmet = readUnmet(buildText.text, new Set(mine.map(({ name }) => name)));
  if (unmet.kind === "mistake") return mistake(`build.toml: ${unmet.what}`);
  return {
    kind: "contributed",
    contribution: { buildpack, layers, launch: launch as LaunchToml },
    unmet: new Set(unmet.names),
  };
}

/** buildpack.md, Ignored Layers: no later buildpack is to depend on one by accident. */
async function hideIgnored(folder: string, layers: readonly Layer[]): Promise<void> {
  const kept = new Set(
    layers.filter(({ types }) => Object.values(types).includes(true)).map(({ name }) => name),
  );
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry;
    if (!entry.isDirectory() || kept.has(name) || name.endsWith(ignoredEnd)) continue;
    const hidden = join(folder, `${name}${ignoredEnd}`);
    await removeTree(hidden);
    await rename(join(folder, name), hidden);
  }
}

/** buildpack.md, Buildpack Plan. */
function planText(entries: readonly Requirement[]): string {
  if (entries.length === 0) return "";
  return stringify({
    entries: entries.map(({ name, metadata }) =>
      Object.keys(metadata).length === 0 ? { name } : { name, metadata },
    ),
  });
}

function mistake(what: string): { kind: "mistake"; what: string } {
  return { kind: "mistake", what };
}

function failed(why: string): { kind: "failed"; why: string } {
  return { kind: "failed", why };
}
