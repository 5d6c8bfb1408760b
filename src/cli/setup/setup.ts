/** `localhostess setup` -> what needs root is shown, done by one sudo, or taken away again. */
import packageJson from "../../../package.json" with { type: "json" };
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hostNames } from "../../helper/host-names.ts";
import { usersOf } from "../../helper/look.ts";
import { unsafeWhy } from "../../helper/installed.ts";
import { helperFolders, usersFile } from "../../helper/places.ts";
import { routeTable } from "../../routes/table.ts";
import { whereIs } from "../../system/search-path.ts";
import { runAtTerminal } from "../shared/at-terminal.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { daemonIfUsable } from "../shared/daemon-here.ts";
import { type MachineFlags, machineOf } from "../shared/machine.ts";
import { type Settings, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { ownPrograms } from "./own-programs.ts";
import { parts } from "./parts.ts";
import type { Part, PartName, SetupPlace } from "./plan.ts";
import { failedCode, preamble, rootCommand, systemPath } from "./script.ts";
import { reportOf, tellParts, tellSteps } from "./setup-report.ts";
import { type Looked, removalPlan, setupPlan, type WholePlan } from "./whole-plan.ts";
import { aboveIsOurs } from "./users-step.ts";
import { whose } from "./whose.ts";

export type SetupFlags = MachineFlags &
  Partial<Record<PartName, boolean>> & {
    yes?: boolean;
    dryRun?: boolean;
    status?: boolean;
    remove?: boolean;
    user?: string;
    bareNames?: boolean;
  };

export async function setup(flags: SetupFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const look = () => lookAt(flags, { settings, world });
  const { looked, plan } = await look();
  const { json } = settings;
  const isAll = looked.every((its) => its.plan.kind !== "impossible");
  if (flags.status) {
    if (json) printJson(world, reportOf(looked, plan));
    else tellParts(looked, { plan, world });
    return isAll && plan.due.length === 0 ? exitCode.done : exitCode.failed;
  }
  if (!json) tellParts(looked, { plan, world, only: "not possible" });
  const code = flags.remove || isAll ? exitCode.done : exitCode.failed;
  if (plan.due.length === 0) {
    if (json) printJson(world, reportOf(looked, plan));
    else if (flags.remove) world.out.write("nothing to remove\n");
    else if (isAll) world.out.write("nothing to do\n");
    return code;
  }
  const way = flags.dryRun ? { kind: "shown" as const } : wayTo(flags, { settings, world });
  if (!json && way.kind !== "printed") {
    tellSteps(plan.due, { world, isAnswer: way.kind === "shown" });
  }
  if (way.kind !== "shown") await doAll(plan, { way, flags, settings, world });
  if (json) {
    // A run that has changed something says what is due now.
    const after = flags.dryRun ? { looked, plan } : await look();
    printJson(world, reportOf(after.looked, after.plan));
    return code;
  }
  if (flags.dryRun) return code;
  const left = (await look()).plan.due;
  if (left.length > 0) {
    throw new Failure("failed", `it is not as it should be yet: ${left[0]!.purpose}`);
  }
  world.out.write("done\n");
  if (!flags.remove) await tellNext(settings, world);
  return code;
}

export type Here = { settings: Settings; world: World };

/** All that `setup --remove` takes away, for whoever takes away more than that. */
export async function setupRemoval(flags: SetupFlags, here: Here) {
  const agreed = { ...flags, remove: true, yes: true };
  const { plan } = await lookAt(agreed, here);
  return {
    due: plan.due,
    /** @throws Failure */
    carryOut: () => doAll(plan, { ...here, flags: agreed, way: wayTo(agreed, here) }),
  };
}

async function lookAt(
  flags: SetupFlags,
  { settings, world }: Here,
): Promise<{ looked: Looked[]; plan: WholePlan }> {
  const machine = machineOf(flags, world);
  const { root } = machine;
  const uid = await whose({
    user: flags.user,
    uid: process.getuid?.() ?? -1,
    sudoUid: world.env.SUDO_UID,
    root,
  });
  const users = await usersOf(root);
  const had = users.get(uid) ?? new Set();
  const others = [...users].filter(([other]) => other !== uid);
  const place: SetupPlace = {
    machine,
    uid,
    version: packageJson.version,
    programs: ownPrograms(),
    others: new Set(others.flatMap(([, rights]) => [...rights])),
    tlds: settings.tlds,
    stateDirectory: settings.stateDirectory,
    bareNames: flags.bareNames ?? false,
    names: () => namesNow(settings, world),
  };
  const looked: Looked[] = [];
  for (const part of chosen(flags)) looked.push({ part, plan: await part.look(place) });
  const file = join(root, usersFile);
  const user = {
    ...{ root, uid, had, hasOthers: others.length > 0 },
    isTrusted: !existsSync(file) || unsafeWhy(file, { root }) === undefined,
  };
  if (!flags.remove) return { looked, plan: setupPlan(looked, user) };
  const path = join(root, helperFolders[1]);
  const folder = {
    ...{ path, isThere: existsSync(path) },
    isAboveOurs: existsSync(join(path, aboveIsOurs)),
  };
  return { looked, plan: removalPlan(looked, { user, folder }) };
}

async function namesNow(settings: Settings, world: World): Promise<readonly string[]> {
  const { looker, withCheckouts } = await import("../shared/look.ts");
  const sight = await withCheckouts(await looker(settings, { world })());
  const { services, supervised, tlds, routing } = sight;
  const { origins } = routeTable(services, { supervised, tlds, ...routing });
  return hostNames({ services, supervised, origins, tlds }).names;
}

/** Without a part's own option: the usual ones, and all of them where something is taken away. */
function chosen(flags: SetupFlags): readonly Part[] {
  const named = parts.filter(({ name }) => flags[name]);
  if (named.length > 0) return named;
  return flags.remove ? parts : parts.filter(({ isUsual }) => isUsual);
}

type Way =
  /** `sudo`: its path; undefined: we are root. */
  | { kind: "run"; sudo: string | undefined }
  /** For a person who becomes root in another way. */
  | { kind: "printed"; why: string };

function wayTo(flags: SetupFlags, { settings, world }: Here): Way {
  const isRoot = machineOf(flags, world).privileged;
  const path = [world.env.PATH, systemPath].filter(Boolean).join(":");
  const sudo = isRoot ? undefined : whereIs("sudo", path);
  if (!isRoot && sudo === undefined) return { kind: "printed", why: "there is no sudo here" };
  if (!flags.yes && (settings.json || world.err.columns() === undefined)) {
    return { kind: "printed", why: "nobody can be asked here; with --yes nobody is" };
  }
  return { kind: "run", sudo };
}

type Doing = Here & { way: Way; flags: SetupFlags };

/** @throws a Failure where nothing was done, or not all of it. */
async function doAll({ due }: WholePlan, { way, flags, settings, world }: Doing): Promise<void> {
  const lines = due.flatMap(({ commands }) => commands);
  if (way.kind === "printed") {
    const commented = due.flatMap(({ purpose, commands }) => [`# ${purpose}`, ...commands]);
    if (!settings.json) world.out.write(`${[...preamble, ...commented].join("\n")}\n`);
    const where = settings.json ? "those of localhostess setup --dry-run" : "the lines on stdout";
    throw new Failure("declined", `${way.why}: nothing was changed; ${where} are for root's sh`);
  }
  const { sudo } = way;
  if (!flags.yes) {
    const question = `Run these commands${sudo === undefined ? "" : " as root, with sudo"}?`;
    const answer = (await world.prompt(`${question} [y/N] `)) ?? "";
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure("declined", "nothing was changed");
  }
  const mayAsk = world.err.columns() !== undefined;
  const ended = await runAtTerminal(rootCommand(lines, { sudo, mayAsk }));
  if (ended.kind === "failed") throw new Failure("failed", `nothing was changed: ${ended.why}`);
  if (ended.kind === "cut off") {
    const what = `${ended.by} has ended it, and some of the commands may have been run`;
    throw new Failure("failed", `${what}; each may be run twice: localhostess setup`);
  }
  if (ended.code === 0) return;
  throw new Failure("failed", failedWords(ended.code, { sudo, mayAsk }));
}

function failedWords(
  code: number,
  { sudo, mayAsk }: { sudo: string | undefined; mayAsk: boolean },
): string {
  if (sudo === undefined || code === failedCode) {
    return "a command failed, as it says above, and those after it were not run; once that is mended: localhostess setup";
  }
  return mayAsk
    ? "sudo did not run the commands, and nothing was changed; for somebody who may use sudo, they are shown by: localhostess setup --dry-run"
    : "sudo needs a password, and nobody can type one here; nothing was changed; in a terminal: localhostess setup";
}

async function tellNext(settings: Settings, world: World): Promise<void> {
  const daemon = await daemonIfUsable(settings, world);
  const next = `localhostess server ${daemon === undefined ? "start" : "restart"}`;
  if (daemon?.httpPort !== 80) world.err.write(`${world.err.colors.dim(`next: ${next}`)}\n`);
}
