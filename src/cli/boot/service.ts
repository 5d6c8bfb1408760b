/** `localhostess service install | status | uninstall` -> the daemon, there after a reboot. */
import { existsSync, lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { lostSettings, serviceEnvironment } from "../../boot/environment.ts";
import { unitPaths } from "../../boot/places.ts";
import { stableProgram, type StableProgram } from "../../boot/stable-program.ts";
import { betterWays, type Machine, type Way, wayOf } from "../../boot/way.ts";
import { runCommand } from "../../system/command.ts";
import { ownFile } from "../../system/own-bun.ts";
import { removeEmptyFolders } from "../../system/remove-empty-folders.ts";
import { userName } from "../../system/user.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { findRunning } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { isWsl } from "../shared/is-wsl.ts";
import { printJson } from "../shared/json-output.ts";
import {
  defaultPort,
  type Settings,
  settingsOf,
  type SettingsOptions,
  UsageError,
} from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { byLaunchd } from "./by-launchd.ts";
import { byProfile } from "./by-profile.ts";
import { bySystemd } from "./by-systemd.ts";
import {
  carryOut,
  type Plan,
  type ServicePlace,
  type ServiceWay,
  type Standing,
  type Step,
} from "./plan.ts";

export type ServiceFlags = {
  json?: boolean;
  dryRun?: boolean;
  force?: boolean;
  linger?: boolean;
  way?: Way;
  /** Hidden: another directory in the place of `/`. */
  root?: string;
};

const made: Readonly<Record<Way, (place: ServicePlace) => ServiceWay>> = {
  systemd: bySystemd,
  launchd: byLaunchd,
  profile: byProfile,
};

/** The manager runs the daemon. */
const names: Readonly<Record<Way, string>> = {
  systemd: "systemd",
  launchd: "launchd",
  profile: "the login shell",
};

/** Milliseconds: the manager's command waits until the daemon answers, or has ended its services. */
const deadline = 150_000;
/** Bytes of an answer. */
const limit = 1024 * 1024;

/** For tests. */
export type ServiceEffects = {
  /** The file of this program. */
  own?: string;
  isWsl?: boolean;
};

type Here = {
  settings: Settings;
  program: StableProgram;
  machine: Machine;
  way: Way;
  its: ServiceWay;
  place: ServicePlace;
};

type Asked = {
  flags: ServiceFlags;
  world: World;
  effects: ServiceEffects;
  options?: SettingsOptions;
};

async function here({ flags, world, effects, options }: Asked): Promise<Here> {
  const settings = await settingsOf(flags.json ? { json: true } : {}, world, options);
  if (settings.sandbox !== undefined) {
    throw new UsageError(["--sandbox: a sandbox is not there after a reboot; leave it out"]);
  }
  const { env, platform } = world;
  const root = flags.root ?? "/";
  const { own = ownFile() } = effects;
  const program = stableProgram({ own, PATH: env.PATH });
  const machine: Machine = {
    platform,
    hasSystemd: existsSync(join(root, "run/systemd/system")),
    isWsl: effects.isWsl ?? isWsl(),
    isContainer: ["/.dockerenv", "/run/.containerenv"].some((path) => existsSync(join(root, path))),
  };
  const way = flags.way ?? wayOf(machine);
  const place: ServicePlace = {
    ...{ world, settings, root, uid: process.getuid?.() ?? -1, user: await userName() },
    program: program.kind === "stable" ? program : { kind: "stable", path: own },
    environment: serviceEnvironment(env),
    force: flags.force ?? false,
    linger: flags.linger ?? false,
    run: (words) => runCommand(words, { env: plain(env), deadline, limit }),
  };
  return { settings, program, machine, way, its: made[way](place), place };
}

/** The words of systemctl, launchctl and loginctl are read. */
function plain(env: World["env"]): Record<string, string> {
  const found = Object.entries(env).filter((its): its is [string, string] => its[1] !== undefined);
  return { ...Object.fromEntries(found), LC_ALL: "C", SYSTEMD_COLORS: "0" };
}

export async function serviceInstall(
  flags: ServiceFlags,
  { world, effects = {} }: { world: World; effects?: ServiceEffects },
): Promise<number> {
  const { settings, program, machine, way, its, place } = await here({ flags, world, effects });
  if (program.kind === "passing") throw new Failure("failed", program.why);
  const { steps, notes } = await its.install();
  const lost = lostSettings(world.env);
  const more = [
    ...betterWays(way, machine),
    ...(program.remark === undefined ? [] : [program.remark]),
    ...(lost.length === 0
      ? []
      : [`${listed(lost)} of this shell will be gone: write it to config.toml (${configKeys})`]),
    ...(await otherPort(settings)),
  ];
  const text = `${names[way]} starts the daemon from now on: ${place.program.path}`;
  return await done({
    flags,
    world,
    way,
    its,
    place,
    plan: { steps, notes: [...more, ...notes] },
    text,
  });
}

const configKeys = "port, http_port, https_port, https_redirect, infer";

/** The port of the daemon that runs is another one than the service's will have. */
async function otherPort(settings: Settings): Promise<string[]> {
  const { registration, kind } = await findRunning(settings);
  const wanted = settings.port ?? defaultPort;
  if (kind !== "healthy" || wanted === 0 || registration.port === wanted) return [];
  return [
    `the daemon that runs has port ${registration.port}, and the service has ${wanted} (config.toml: port)`,
  ];
}

export async function serviceUninstall(
  flags: ServiceFlags,
  { world, effects = {} }: { world: World; effects?: ServiceEffects },
): Promise<number> {
  const { way, its, place } = await here({ flags, world, effects });
  const plan = await its.uninstall();
  const text =
    plan.steps.length === 0
      ? "there is no service"
      : "the daemon is not there any more after a reboot; to start it by hand: localhostess server start --detach";
  return await done({ flags, world, way, its, place, plan, text });
}

const waysOf: Partial<Record<NodeJS.Platform, readonly Way[]>> = {
  linux: ["systemd", "profile"],
  darwin: ["launchd", "profile"],
};

/** All that `service uninstall` takes away, by whatever way it was installed, for whoever takes away more than that. */
export async function serviceRemoval(
  flags: Pick<ServiceFlags, "root">,
  { world, effects = {} }: { world: World; effects?: ServiceEffects },
) {
  const removals: { lines: string[]; carryOut(): Promise<void> }[] = [];
  for (const way of waysOf[world.platform] ?? []) {
    const options = { withoutConfig: true };
    const found = await here({ flags: { ...flags, way }, world, effects, options });
    const { its: asked, place, machine } = found;
    // A manager that does not answer is in nobody's way where there is nothing of ours.
    if (!asked.files.some(isThere) && !(await asked.standing()).installed) continue;
    const isSystemd = way === "systemd";
    const its = made[way]({ ...place, withoutManager: isSystemd && !machine.hasSystemd });
    const { steps } = await its.uninstall();
    removals.push({
      lines: steps.map(line),
      async carryOut() {
        await carryOut(steps, { run: place.run, verdict: its.verdict });
        if (!isSystemd) return;
        for (const path of Object.values(unitPaths(world))) {
          await removeEmptyFolders(dirname(path), { below: world.home });
        }
      },
    });
  }
  return {
    lines: removals.flatMap(({ lines }) => lines),
    /** @throws Failure */
    async carryOut() {
      for (const its of removals) await its.carryOut();
    },
  };
}

/** A link as well that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

type Done = {
  flags: ServiceFlags;
  world: World;
  way: Way;
  its: ServiceWay;
  place: ServicePlace;
  plan: Plan;
  text: string;
};

async function done({ flags, world, way, its, place, plan, text }: Done): Promise<number> {
  const { out, err } = world;
  const { steps, notes } = plan;
  const dryRun = flags.dryRun ?? false;
  if (!dryRun) await carryOut(steps, { run: place.run, verdict: its.verdict });
  if (flags.json) {
    printJson(world, { way, done: !dryRun, steps: steps.map(row), notes });
    return 0;
  }
  for (const step of steps) out.write(`${line(step)}\n`);
  if (!dryRun) out.write(`${text}\n`);
  for (const note of notes) err.write(`${err.colors.dim(printable(note, 500))}\n`);
  if (dryRun && steps.length === 0) err.write(`${err.colors.dim("there is nothing to do")}\n`);
  return 0;
}

function row(step: Step) {
  if (step.do === "run") return { does: "run", path: null, command: shellCommand(step.words) };
  return { does: step.do, path: step.path, command: null };
}

function line(step: Step): string {
  if (step.do === "run") return shellCommand(step.words);
  return `${step.do} ${printable(step.path, 500)}`;
}

/** The daemon that runs, and whether the service is the one that runs it. */
type Daemon = { pid: number | null; isManaged: boolean };

export async function serviceStatus(
  flags: ServiceFlags,
  { world, effects = {} }: { world: World; effects?: ServiceEffects },
): Promise<number> {
  const { settings, program, machine, way, its, place } = await here({ flags, world, effects });
  const standing = await its.standing();
  const running = await findRunning(settings);
  const pid = running.kind === "healthy" ? running.handshake.pid : null;
  const daemon: Daemon = { pid, isManaged: pid !== null && pid === standing.pid };
  const problems = [
    ...standing.problems,
    ...(program.kind === "passing" ? [program.why] : []),
    ...(standing.installed && !standing.current
      ? [
          "the service is of another version, or of another program; to renew it: localhostess service install",
        ]
      : []),
    ...(standing.pid !== null && pid !== null && !daemon.isManaged && way === "systemd"
      ? [`the daemon that runs (pid ${pid}) is not the service's (pid ${standing.pid})`]
      : []),
  ];
  const { installed, file, edited, current, at_boot } = standing;
  if (flags.json) {
    printJson(world, {
      ...{ way, installed, file, edited, current, at_boot },
      ...{ program: place.program.path, pid, managed: daemon.isManaged, problems },
    });
  } else {
    tell({ way, standing, daemon, problems, place, world });
    if (!installed) for (const note of betterWays(way, machine)) say(note, world);
  }
  return installed && problems.length === 0 ? 0 : 1;
}

type Told = {
  way: Way;
  standing: Standing;
  daemon: Daemon;
  problems: readonly string[];
  place: ServicePlace;
  world: World;
};

function tell({ way, standing, daemon, problems, place, world }: Told): void {
  const { out } = world;
  const { colors } = out;
  const { installed, file, edited, at_boot } = standing;
  out.write(
    installed
      ? `${colors.green("installed")}: ${names[way]} starts the daemon ${at_boot ? "when the machine starts" : "at login"}\n`
      : `${colors.red("not installed")}: the daemon is not there after a reboot; to change that: localhostess service install\n`,
  );
  const rows = [
    [
      "file",
      file === null ? null : `${printable(file, 500)}${edited ? " (changed by somebody)" : ""}`,
    ],
    ["program", printable(place.program.path, 500)],
    [
      "daemon",
      daemon.pid === null
        ? "not running"
        : `pid ${daemon.pid}${daemon.isManaged ? "" : ", not the service's"}`,
    ],
  ] as const;
  for (const [name, value] of rows) {
    if (value !== null) out.write(`  ${colors.dim(name.padEnd(7))}  ${value}\n`);
  }
  for (const problem of problems) say(problem, world);
}

function say(text: string, { err }: World): void {
  err.write(`${err.colors.yellow(printable(text, 500))}\n`);
}
