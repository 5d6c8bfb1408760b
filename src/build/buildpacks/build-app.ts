/** A folder with an app, and buildpacks -> what can be started of it; nothing is run where nothing has changed. */
import { createHash } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { descriptorOf, longestDescriptor } from "../../manifest/project-descriptor.ts";
import { projectFiles } from "../../manifest/project-files.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { lockInTurn } from "../../system/file-lock.ts";
import { readText } from "../../system/read-text.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { printablePath } from "../../text/printable.ts";
import { endOrphans } from "../../system/end-orphans.ts";
import {
  type AppFiles,
  allButHistory,
  readFiles,
  type SeenContents,
  type Taken,
  UnreadableApp,
} from "./app-files.ts";
import { appSize } from "./app-size.ts";
import { buildGroup } from "./build-group.ts";
import type {
  BuildEffects,
  BuildPhase,
  Buildpack,
  BuildRequest,
  Built,
  Generation,
  Order,
} from "./buildpack.ts";
import { copyApp } from "./copy-app.ts";
import { detectGroups } from "./detect.ts";
import { shellVariables, usualExecEnv } from "./environment.ts";
import { exportLayers } from "./export-layers.ts";
import { findBuildpacks } from "./find-buildpacks.ts";
import {
  begin,
  finish,
  folderOf,
  giveUp,
  lastResult,
  launchableOf,
  type Result,
  recover,
  seenIn,
  unfinished,
} from "./generations.ts";
import { literalPaths } from "./literal-paths.ts";
import { nameOf } from "./order.ts";
import { ownLinks } from "./own-links.ts";
import { restore } from "./restore.ts";
import { readSeen, writeSeen } from "./seen-contents.ts";
import { targetVariables, thisMachine } from "./target.ts";

/** Times that an app is copied which changes meanwhile: an editor has saved by then, and a log never ends. */
const mostCopies = 3;

/**
 * Rejects only by a fault of ours. Where it fails or is ended, also by SIGKILL, the last build that succeeded is as it
 * was.
 */
export async function buildApp(request: BuildRequest, effects: BuildEffects): Promise<Built> {
  let phase: BuildPhase = "analyzing";
  const told: BuildEffects = {
    ...effects,
    phase(its, buildpack) {
      phase = its;
      effects.phase(its, buildpack);
    },
  };
  let release: (() => void) | undefined;
  try {
    await mkdir(request.place, { recursive: true, mode: 0o700 });
    release = await locked(request.place, effects);
    const built = await build(request, told);
    return built.kind === "failed" ? { ...built, phase } : built;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (effects.signal.aborted) return { kind: "failed", phase, why: "the build was ended" };
    if (error instanceof UnreadableApp) return { kind: "failed", phase, why: message };
    if (code === "ENOSPC") {
      const why = `there is no room left on the disk of ${printablePath(request.place)}`;
      return { kind: "failed", phase, why };
    }
    // The system says why, such as EACCES of a file that a buildpack has made.
    if (code !== undefined) return { kind: "failed", phase, why: message };
    throw error;
  } finally {
    release?.();
  }
}

/** The kernel ends the lock with the process that has it. @throws the signal's reason. */
async function locked(place: string, { write, signal }: BuildEffects): Promise<() => void> {
  const lock = await lockInTurn(join(place, "lock"), {
    signal,
    onWait: () => write("another build of it is under way; waiting for its end"),
  });
  if (lock === undefined) throw signal.reason;
  return lock.release;
}

type Outcome = Extract<Built, { kind: "built" }> | { kind: "failed"; why: string };

async function build(request: BuildRequest, effects: BuildEffects): Promise<Outcome> {
  const { app, place, clean } = request;
  const { signal, write } = effects;
  effects.phase("analyzing");
  const last = lastResult(place);
  if (unfinished(place, last?.generation)) {
    await endOrphans({ variable: "CNB_PLATFORM_DIR", begins: `${place}/at/` });
  }
  await recover(place, last?.generation);
  const none = await whyNoApp(app);
  if (none !== undefined) return { kind: "failed", why: none };
  const toml = join(app, "project.toml");
  const text = await readText(toml, { longest: longestDescriptor });
  const read = descriptorOf(text, printablePath(toml));
  if (read.kind === "mistakes") return { kind: "failed", why: read.mistakes.join("; ") };
  const { descriptor } = read;
  const found = await findBuildpacks(
    {
      app,
      directory: request.directory,
      cache: request.cache,
      references: request.buildpacks,
      descriptor,
      env: request.env,
      fresh: clean,
    },
    { write, signal },
  );
  if (found.kind === "failed") return found;
  const machine = await thisMachine();
  const seen = await readSeen(place);
  // A service's own variables count more than those that project.toml has for all.
  const variables = {
    ...Object.fromEntries(descriptor.env.map(({ name, value }) => [name, value])),
    ...request.variables,
  };
  const inputs: Inputs = {
    taken: projectFiles(descriptor),
    request,
    seen,
    signal,
    others: [
      { descriptor, machine, execEnv: usualExecEnv, order: found.order },
      // In whatever order they were declared.
      Object.entries(variables).sort(),
      await buildpacksOf(found, { seen, signal, request }),
    ],
  };
  const before = await inputsNow(inputs);
  if (!clean && last !== undefined && last.fingerprint === before.fingerprint) {
    await writeSeen(place, seen);
    return { kind: "built", ran: false, launchable: launchableOf(last) };
  }
  const generation = await begin(place, last?.generation);
  try {
    const built = await fill(
      { request, last, generation, inputs, before, found, variables, machine },
      effects,
    );
    if (built.kind === "failed") await giveUp(place, { next: generation, last: last?.generation });
    else await writeSeen(place, seen);
    return built;
  } catch (error) {
    await giveUp(place, { next: generation, last: last?.generation });
    throw error;
  }
}

/** Asked before: a folder that is missing is an empty app otherwise, which no buildpack is for. */
async function whyNoApp(app: string): Promise<string | undefined> {
  const its = await stat(app).catch(() => undefined);
  if (its === undefined) return `there is no folder ${printablePath(app)} to build from`;
  if (its.isDirectory()) return undefined;
  return `${printablePath(app)} is no folder; context names the folder of the app`;
}

type Inputs = {
  taken: Taken;
  request: BuildRequest;
  seen: SeenContents;
  signal: AbortSignal;
  /** Values, but for files of the app. */
  others: readonly unknown[];
};

type InputsNow = { files: AppFiles; fingerprint: string };

async function inputsNow({ taken, request, seen, signal, others }: Inputs): Promise<InputsNow> {
  const { app, place, without } = request;
  const files = await readFiles(app, { taken, seen, without: [place, ...without], signal });
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([files.fingerprint, ...others]))
    .digest("hex");
  return { files, fingerprint };
}

type Found = { order: Order; known: readonly Buildpack[] };

/** Contents of buildpacks: one that a person is writing changes without another version. */
async function buildpacksOf(
  { known }: Found,
  { seen, signal, request }: Pick<Inputs, "seen" | "signal" | "request">,
): Promise<unknown> {
  const without = [request.place, ...request.without];
  const its: unknown[] = [];
  for (const { id, version, directory } of known) {
    const { fingerprint } = await readFiles(directory, {
      taken: allButHistory,
      seen,
      without,
      signal,
    });
    its.push([id, version, directory, fingerprint]);
  }
  return its;
}

type Filling = {
  request: BuildRequest;
  last: Result | undefined;
  generation: Generation;
  inputs: Inputs;
  before: InputsNow;
  found: Found;
  variables: Record<string, string>;
  machine: Awaited<ReturnType<typeof thisMachine>>;
};

async function fill(filling: Filling, effects: BuildEffects): Promise<Outcome> {
  const { request, last, generation, found, variables, machine } = filling;
  const { place, clean } = request;
  const { signal, write } = effects;
  const { app, layers } = seenIn(place);
  const here = folderOf(place, generation);
  const former = last === undefined ? undefined : join(folderOf(place, last.generation), "layers");
  const fingerprint = await copied(filling, effects);
  const platform = join(place, "at/platform");
  const scratch = join(place, "at/scratch");
  for (const folder of [join(platform, "env"), scratch]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  for (const [name, value] of Object.entries(variables)) {
    // Another name is no file's, and could lead out of the folder: a buildpack has it in its environment.
    if (!isFileName(name)) continue;
    await writeAtomically(join(platform, "env", name), value);
  }
  effects.phase("detecting");
  const env = shellVariables(request.env);
  const detected = await detectGroups(
    {
      app,
      order: found.order,
      known: found.known,
      platform,
      scratch,
      env: request.env,
      variables,
      machine,
      execEnv: usualExecEnv,
    },
    { write, signal },
  );
  signal.throwIfAborted();
  if (detected.kind === "failed") {
    for (const line of await literalOf(detected.lines, found)) write(line);
    return { kind: "failed", why: detected.why };
  }
  const { group, plan } = detected;
  effects.phase("restoring");
  if (former !== undefined && !clean) {
    await restore({ from: former, to: layers, group, write, signal });
  }
  effects.phase("building");
  const built = await buildGroup(
    {
      group,
      plan,
      app,
      layers,
      platform,
      scratch,
      env: { ...env, ...targetVariables(machine) },
      variables,
      execEnv: usualExecEnv,
    },
    effects,
  );
  if (built.kind === "failed") return built;
  effects.phase("exporting");
  const { contributions } = built;
  const from = clean ? undefined : former;
  const exported = await exportLayers({ contributions, last: from, layers, write, signal });
  if (exported.kind === "failed") return exported;
  await ownLinks(join(here, "app"), { seen: join(place, "at"), own: here, signal });
  await ownLinks(join(here, "layers"), { seen: join(place, "at"), own: here, signal });
  // A person's variables may be secrets, and are for buildpacks only.
  for (const folder of ["platform", "scratch"]) await removeTree(join(here, folder));
  signal.throwIfAborted();
  const result: Result = {
    generation,
    processes: exported.processes,
    group: group.map(({ id, version }) => ({ id, version })),
    fingerprint,
  };
  await finish(place, result);
  return { kind: "built", ran: true, launchable: launchableOf(result) };
}

function isFileName(name: string): boolean {
  return name !== "." && name !== ".." && !name.includes("/");
}

/** Hints about buildpacks whose bin/detect did neither pass nor fail. */
async function literalOf(lines: readonly string[], { known }: Found): Promise<string[]> {
  const broken = known.filter((its) =>
    lines.some((line) => line.startsWith(`error: ${nameOf(its)}`)),
  );
  const hints = await Promise.all(broken.map(literalPaths));
  return hints.filter((hint) => hint !== undefined);
}

/** The app, as it stood at one moment. @returns the fingerprint of that; undefined where there was no such moment. */
async function copied(
  { request, generation, inputs, before }: Filling,
  { write, signal }: BuildEffects,
): Promise<string | undefined> {
  const to = join(folderOf(request.place, generation), "app");
  let its = before;
  for (let times = 1; ; times++) {
    await copyApp(its.files.entries, { from: request.app, to, signal });
    const after = await inputsNow(inputs);
    if (after.fingerprint === its.fingerprint) {
      write(appSize(its.files.entries));
      return its.fingerprint;
    }
    if (times === mostCopies) {
      write(
        "files of the app change while they are copied; it is built as it is, and anew by the next build",
      );
      return undefined;
    }
    its = after;
    await removeTree(to);
    await mkdir(to, { mode: 0o700 });
  }
}
