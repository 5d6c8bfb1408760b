/** An order of buildpacks, and an app -> the first group that passes, and its plan. Buildpacks spec, "Phase #1". */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { printable } from "../../text/printable.ts";
import type { BuildEffects, Buildpack, Detected, Member, Order } from "./buildpack.ts";
import { shellVariables, withVariables } from "./environment.ts";
import { expandOrder, nameOf } from "./order.ts";
import { type Passed, readPlan, resolvePlans } from "./plan.ts";
import { runScript, type ScriptEnd } from "./run-script.ts";
import { isFor, type Machine, machineText, targetText, targetVariables } from "./target.ts";

export type DetectRequest = {
  /** Absolute: the folder that buildpacks see as the app. */
  app: string;
  order: Order;
  known: readonly Buildpack[];
  /** Absolute: the platform's folder, in which `env` has been written. */
  platform: string;
  /** Absolute, ours: build plans are written there. Made where it is missing. */
  scratch: string;
  /** The shell's. */
  env: Readonly<Record<string, string>>;
  /** The variables that a person has set. */
  variables: Readonly<Record<string, string>>;
  machine: Machine;
  execEnv: string;
  /** Milliseconds for one bin/detect. */
  limit?: number;
};

export type DetectEffects = Pick<BuildEffects, "write" | "signal">;

/** Milliseconds: bin/detect looks at files, and takes less than a second. */
const usualLimit = 60_000;

/** Bytes of a build plan; those of the well-known buildpacks have less than 4 KiB. */
const longestPlan = 1024 * 1024;

/** Lines that are kept of one bin/detect: the last ones. */
const mostLines = 200;

type Result = { lines: readonly string[] } & (
  | { kind: "passed"; alternatives: Passed["alternatives"] }
  /** Exit code 100. */
  | { kind: "failed" }
  /** Not for this machine, as its targets say. */
  | { kind: "elsewhere"; why: string }
  /** `why`: what follows its name. */
  | { kind: "broken"; why: string }
  | { kind: "aborted" }
);

/** Groups one after another, their members at the same time; each buildpack is asked once. Never rejects. */
export async function detectGroups(
  request: DetectRequest,
  { write, signal }: DetectEffects,
): Promise<Detected> {
  const expanded = expandOrder(request.order, request);
  if (expanded.kind === "failed") return { kind: "failed", why: expanded.why, lines: [] };
  if (expanded.groups.length === 0) {
    return { kind: "failed", why: "no buildpack is named that could build it", lines: [] };
  }
  const asked = new Map<Buildpack, Promise<Result>>();
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    write(line);
  };
  let first: string | undefined;
  let broken: string | undefined;
  for (const group of expanded.groups) {
    const isNew = group.filter(({ buildpack }) => !asked.has(buildpack));
    for (const { buildpack } of isNew) {
      asked.set(buildpack, ask(buildpack, { request, signal }));
    }
    const results = await Promise.all(group.map(({ buildpack }) => asked.get(buildpack)!));
    if (results.some(({ kind }) => kind === "aborted") || signal.aborted) {
      return { kind: "failed", why: "the build was ended", lines };
    }
    for (const { buildpack } of isNew)
      tell(buildpack, { result: await asked.get(buildpack)!, say });
    const outcome = outcomeOf(group, results);
    if (outcome.kind === "resolved") {
      say(`detected: ${outcome.group.map(nameOf).join(", ")}`);
      return { kind: "passed", group: outcome.group, plan: outcome.plan };
    }
    say(`group ${group.map(({ buildpack }) => nameOf(buildpack)).join(", ")}: ${outcome.why}`);
    first ??= outcome.why;
    broken ??= whyBroken(group, results);
  }
  const many = expanded.groups.length > 1 ? "no group of buildpacks fits: " : "";
  return { kind: "failed", why: `${many}${broken ?? first}`, lines };
}

type Asking = { request: DetectRequest; signal: AbortSignal };

async function ask(buildpack: Buildpack, { request, signal }: Asking): Promise<Result> {
  const { machine, scratch, app, platform, limit = usualLimit } = request;
  if (!isFor(buildpack, machine)) {
    const targets =
      buildpack.targets.map(targetText).join("; ") || "no system, as it has no bin/build";
    return {
      kind: "elsewhere",
      why: `is for ${targets}, and this is ${machineText(machine)}`,
      lines: [],
    };
  }
  const folder = join(scratch, crypto.randomUUID());
  const planPath = join(folder, "plan.toml");
  const lines: string[] = [];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(planPath, "", { mode: 0o600 });
    const end = await runScript(
      {
        path: join(buildpack.directory, "bin", "detect"),
        // Deprecated, and what most buildpacks of the shell still read.
        args: [platform, planPath],
        cwd: app,
        env: environmentOf(buildpack, { request, planPath }),
        limit,
      },
      {
        signal,
        line(text) {
          if (lines.push(printable(text)) > mostLines) lines.shift();
        },
      },
    );
    if (end.kind === "aborted") return { kind: "aborted", lines };
    if (end.kind === "ended" && end.code === 0) return { ...(await planIn(planPath)), lines };
    if (end.kind === "ended" && end.code === 100) return { kind: "failed", lines };
    return { kind: "broken", why: whyOf(end, limit), lines };
  } catch (error) {
    // The disk is full, or the folder is not ours any longer.
    return { kind: "broken", why: `cannot be asked: ${(error as Error).message}`, lines };
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {
      // The scratch folder is emptied before the next build.
    });
  }
}

function environmentOf(
  { directory, clearEnv, api }: Buildpack,
  { request, planPath }: { request: DetectRequest; planPath: string },
): Record<string, string> {
  const { app, env, variables, machine, platform, execEnv } = request;
  const own = shellVariables(env);
  return {
    ...(clearEnv ? own : withVariables(own, variables)),
    ...targetVariables(machine),
    ...execEnvVariables(api, execEnv),
    // As for bin/build: the system tells a shell a path without our link.
    PWD: app,
    CNB_BUILDPACK_DIR: directory,
    CNB_PLATFORM_DIR: platform,
    CNB_BUILD_PLAN_PATH: planPath,
  };
}

/** Known to buildpacks since 0.12. */
export function execEnvVariables(api: string, execEnv: string): Record<string, string> {
  return api === "0.10" || api === "0.11" ? {} : { CNB_EXEC_ENV: execEnv };
}

type Planned =
  { kind: "passed"; alternatives: Passed["alternatives"] } | { kind: "broken"; why: string };

/** A buildpack without a plan may have removed the file. */
async function planIn(path: string): Promise<Planned> {
  const its = await readText(path, { longest: longestPlan });
  if (its.kind === "unreadable")
    return { kind: "broken", why: `has a build plan that cannot be read: ${its.why}` };
  const read = readPlan(its.kind === "missing" ? "" : its.text);
  if (read.kind === "bad")
    return { kind: "broken", why: `has a build plan with a mistake: ${read.why}` };
  return { kind: "passed", alternatives: read.alternatives };
}

function whyOf(end: ScriptEnd, limit: number): string {
  if (end.kind === "ended") {
    return `ended with exit code ${end.code} in bin/detect, where 0 is a pass and 100 a fail`;
  }
  if (end.kind === "killed") return `was ended by ${end.signal} in bin/detect`;
  if (end.kind === "unstartable") return `cannot be asked: ${end.why}`;
  return `took longer than ${limit / 1000} s in bin/detect, and was ended`;
}

const verdicts: Readonly<Record<Result["kind"], string>> = {
  passed: "pass",
  failed: "fail",
  elsewhere: "skip",
  broken: "error",
  aborted: "ended",
};

function tell(
  buildpack: Buildpack,
  { result, say }: { result: Result; say(line: string): void },
): void {
  for (const line of result.lines) say(`[${buildpack.id}] ${line}`);
  const why = "why" in result ? `: it ${result.why}` : "";
  say(`${verdicts[result.kind]}: ${nameOf(buildpack)}${why}`);
}

type Outcome = ReturnType<typeof resolvePlans>;

function outcomeOf(group: readonly Member[], results: readonly Result[]): Outcome {
  const passed: Passed[] = [];
  for (const [index, member] of group.entries()) {
    const result = results[index]!;
    if (result.kind === "passed") passed.push({ ...member, alternatives: result.alternatives });
    else if (!member.optional) {
      return { kind: "unmet", why: `${nameOf(member.buildpack)} ${whyNot(result)}` };
    }
  }
  if (passed.length === 0) return { kind: "unmet", why: "none of its buildpacks is for this app" };
  return resolvePlans(passed);
}

function whyNot(result: Result): string {
  return "why" in result
    ? result.why
    : "says that it is not for this app (bin/detect ended with 100)";
}

/** A buildpack that is broken is what a person can mend, whichever group has failed for another reason. */
function whyBroken(group: readonly Member[], results: readonly Result[]): string | undefined {
  const hasPassed = results.some(({ kind }) => kind === "passed");
  for (const [index, { buildpack, optional }] of group.entries()) {
    const result = results[index]!;
    if (result.kind !== "broken" || (optional && hasPassed)) continue;
    return `${nameOf(buildpack)} ${result.why}`;
  }
  return undefined;
}
