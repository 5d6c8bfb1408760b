/** `localhostess upgrade` -> the package manager's own command, and then the new daemon in the place of the old one. */
import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { runs } from "../../control/found/connect.ts";
import { runCommand } from "../../system/command.ts";
import { printable } from "../../text/printable.ts";
import { findRunning } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { defaultPort, type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { installation, mayWrite } from "./installation.ts";
import type { Installed } from "./installed-by.ts";
import { commandsOf, runSteps } from "./manager-steps.ts";
import { runManager } from "./run-manager.ts";
import { type PlanOptions, upgradePlan } from "./upgrade-plan.ts";
import { withoutOwnProxy } from "./without-own-proxy.ts";

export type UpgradeFlags = Flags & { yes?: boolean; dryRun?: boolean };

type Outcome = "planned" | "by_hand" | "same" | "upgraded" | "restarted";

/** As `--json` prints it. */
type Answer = {
  installed_by: Installed["by"] | Extract<Installed, { manager: unknown }>["manager"];
  commands: string[];
  version: string;
  /** Null where nothing was run, or it cannot be told. */
  now: string | null;
  outcome: Outcome;
};

/** Milliseconds; each asks one program of this machine. */
const deadline = 20_000;
const longestAnswer = 64 * 1024;

export async function upgrade(
  to: string | undefined,
  { flags, world }: { flags: UpgradeFlags; world: World },
): Promise<number> {
  const settings = await settingsOf(flags, world);
  const found = await findRunning(settings, { world, mentions: false });
  const { port = defaultPort, httpPort, httpsPort } = found.registration ?? {};
  const env = withoutOwnProxy(world.env, [port, httpPort ?? port, httpsPort ?? port]);
  const installed = await installation(world);
  const plan = upgradePlan(installed, { to: wantedOf(to, world), mayWrite });
  const answer: Answer = {
    installed_by: "manager" in installed ? installed.manager : installed.by,
    commands: plan.kind === "steps" ? commandsOf(plan) : [],
    version: packageJson.version,
    now: null,
    outcome: "planned",
  };
  const tell = (text: string): void => void world.err.write(`${printable(text, 4_000)}\n`);
  if (plan.kind === "by hand") {
    if (flags.json) return done({ ...answer, outcome: "by_hand" }, { flags, world });
    throw new Failure("unsupported", plan.how);
  }
  tell(`localhostess ${packageJson.version} comes from ${wordsFor(installed)}`);
  if (flags.dryRun) {
    if (!flags.json) for (const command of answer.commands) world.out.write(`${command}\n`);
    return done(answer, { flags, world });
  }
  for (const command of answer.commands) tell(`  ${command}`);
  await agreed(flags, world);
  await runSteps(plan, env);
  if (plan.program === undefined)
    return done({ ...answer, outcome: "restarted" }, { flags, world });
  const now = await versionOf(plan.program, env);
  const isRunning = runs(found);
  const its = found.kind === "healthy" ? found.handshake.version : undefined;
  if (now === packageJson.version && (!isRunning || its === now)) {
    tell(`this is the newest version that it has: ${now}`);
    return done({ ...answer, now, outcome: "same" }, { flags, world });
  }
  tell(`localhostess ${now ?? "of an unknown version"} is installed`);
  if (!isRunning) return done({ ...answer, now, outcome: "upgraded" }, { flags, world });
  // The new program knows best how its daemon takes over, and waits until it has proved itself.
  const sandbox = settings.sandbox === undefined ? [] : ["--sandbox", settings.sandbox];
  const restarted = await runManager([plan.program, "server", "restart", ...sandbox], {
    folder: "/",
    env: definedOf(world.env),
  });
  if (restarted.kind !== "ended" || restarted.code !== 0) {
    const why = restarted.kind === "failed" ? `: ${restarted.why}` : "";
    const what = `localhostess ${now ?? ""} is installed, and its daemon has not taken over${why}`;
    throw new Failure("not_started", `${what}; to try again: localhostess server restart`);
  }
  return done({ ...answer, now, outcome: "restarted" }, { flags, world });
}

function done(answer: Answer, { flags, world }: { flags: UpgradeFlags; world: World }): number {
  if (flags.json) printJson(world, answer);
  return exitCode.done;
}

/** A file is a package; everything else is a version, or a tag such as `next`. @throws UsageError */
function wantedOf(to: string | undefined, { cwd }: World): PlanOptions["to"] {
  if (to === undefined) return { kind: "version", version: "latest" };
  if (/\.(?:tgz|deb)$/.test(to)) {
    const path = isAbsolute(to) ? to : resolve(cwd, to);
    if (!existsSync(path)) throw new UsageError([`there is no ${path}`]);
    return { kind: "package", path };
  }
  if (/^\w[\w.+~-]*$/.test(to)) return { kind: "version", version: to };
  throw new UsageError([`expected a version or the file of a package, got ${printable(to, 200)}`]);
}

const makers: Readonly<Record<Exclude<Installed["by"], "global" | "project" | "runner">, string>> =
  {
    debian: "its Debian package",
    homebrew: "Homebrew",
    clone: "a clone of its source",
    file: "no package manager that is known",
  };

function wordsFor(installed: Installed): string {
  if (installed.by === "global") return `${installed.manager}, for all of your projects`;
  if (installed.by === "project") return `${installed.manager}, in ${installed.folder}`;
  if (installed.by === "runner") return `the cache of ${installed.manager}, for one run`;
  return makers[installed.by];
}

/** @throws UsageError where nobody can be asked, a Failure where the person does not agree. */
async function agreed({ yes }: UpgradeFlags, world: World): Promise<void> {
  if (yes === true) return;
  const question = "Run this?";
  const said = world.json === undefined ? await world.prompt(`${question} [y/N] `) : undefined;
  if (said === undefined) {
    throw new UsageError([`${question} Say so with --yes, as nobody can be asked here`]);
  }
  if (!/^y(es)?$/i.test(said.trim())) throw new Failure("declined", "nothing was changed");
}

/** The new program's own word. */
async function versionOf(program: string, env: Record<string, string>): Promise<string | null> {
  const asked = await runCommand([program, "--version"], { env, deadline, limit: longestAnswer });
  const text = asked.kind === "done" && asked.code === 0 ? asked.stdout.trim() : "";
  return /^\d+\.\d+\.\d+\S*$/.test(text) ? text : null;
}
