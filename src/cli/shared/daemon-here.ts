/** Settings -> the running daemon, started in the background if necessary. */
import packageJson from "../../../package.json" with { type: "json" };
import { connect, type Connected, findDaemon, type Found } from "../../control/found/connect.ts";
import type { Registration } from "../../control/found/protocol.ts";
import { settled, type SettleOptions } from "../../control/found/settled.ts";
import { takeTurn, type Turn, turnToStart } from "../../control/found/turn.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { originOf } from "../../routes/service-row.ts";
import { systemClock } from "../../system/clock.ts";
import { ownProgram } from "../../system/own-bun.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
import { commandBy, isManaged, spawnedBy } from "./by-manager.ts";
import {
  caseOf,
  isStopped,
  outcomeOf,
  versionWords,
  type Want,
  wordsFor,
} from "./daemon-answers.ts";
import { fateOf, type RunningServices, runningServices } from "./running-services.ts";
import { defaultPort, type Flags, type Settings, settingsOf } from "./settings.ts";
import { Failure } from "./failure.ts";
import type { World } from "./world.ts";

export type Running = Extract<Connected, { kind: "connected" }>;

/** The options of `server start`, which are passed on to a daemon in the background. */
export type StartFlags = Flags & {
  detach?: boolean;
  /** Hidden: the daemon runs in the background, and writes into its log. */
  background?: boolean;
  /** Hidden: the daemon exits at once if another is running. */
  unlessRunning?: boolean;
};

export type FindRunningOptions = {
  /** Undefined: one look, and no word. */
  world?: World | undefined;
  /** False: a daemon of another version is not mentioned. */
  mentions?: boolean;
  /** False: the verb can do without the daemon's socket. */
  bySocket?: boolean;
};

/** The daemon as far as it proves itself, after what it mends by itself. */
export async function findRunning(
  settings: Settings,
  { world, mentions = true, bySocket = true }: FindRunningOptions = {},
): Promise<Found> {
  if (world === undefined) return await oneLook(settings);
  const { daemonTalk: talk } = world;
  const waiting = (its: Found): void => say(`${waitingFor(its, settings)}; waiting`, world);
  // A command that looks again does not wait again for what was not mended.
  const found = talk?.waited
    ? await oneLook(settings)
    : await patientLook(settings, { bySocket, waiting });
  if (talk !== undefined)
    talk.waited ||= found.kind !== "healthy" || (bySocket && found.by === "port");
  if (found.kind === "healthy" && mentions) mentionVersion(found.handshake, world);
  return found;
}

function oneLook({ stateDirectory, socket }: Settings): Promise<Found> {
  return findDaemon(stateDirectory, { clock: systemClock, socket });
}

type Patient = Pick<SettleOptions, "bySocket" | "waiting">;

function patientLook(settings: Settings, options: Patient): Promise<Found> {
  return settled(() => oneLook(settings), { clock: systemClock, isStopped, ...options });
}

function waitingFor(found: Found, settings: Settings): string {
  if (found.kind === "healthy") {
    return `the socket of the daemon (pid ${found.registration.pid}) is not there, and it makes another`;
  }
  return caseOf(wordsFor(found, settings)!);
}

/** Says once that the daemon is older or newer than the command. */
export function mentionVersion(daemon: { pid: number; version: string }, world: World): void {
  const words = versionWords(daemon, packageJson.version);
  if (words !== undefined) say(words, world);
}

/** On stderr, each sentence once. */
function say(text: string, { err, daemonTalk }: World): void {
  if (daemonTalk?.said.has(text)) return;
  daemonTalk?.said.add(text);
  err.write(`${err.colors.dim(printable(text, 2_000))}\n`);
}

/** For a person, with the command that helps, where the daemon cannot be used. */
export function troubleText(found: Found, settings: Settings): string {
  const words = wordsFor(found, settings)!;
  return `${caseOf(words)}; ${words.fix.for}: ${words.fix.command}`;
}

export function daemonFailure(found: Found, settings: Settings): Failure {
  return new Failure("no_answer", troubleText(found, settings));
}

/**
 * The record of the running daemon; undefined where none is running. @throws an Error for a person, where one runs
 * that cannot be used.
 */
export async function runningDaemon(
  settings: Settings,
  world: World,
): Promise<Registration | undefined> {
  const found = await findRunning(settings, { world });
  if (outcomeOf(found, "ask") === "refuse") throw daemonFailure(found, settings);
  return found.kind === "healthy" ? found.registration : undefined;
}

/**
 * The same for a verb that knows something without a daemon too: a daemon that runs and cannot be used is reported,
 * and the command ends with 1 whatever it does.
 */
export async function daemonIfUsable(
  settings: Settings,
  world: World,
): Promise<Registration | undefined> {
  const found = await findRunning(settings, { world });
  if (outcomeOf(found, "look") === "note") {
    say(troubleText(found, settings), world);
    if (world.daemonTalk !== undefined) world.daemonTalk.trouble = true;
  }
  return found.kind === "healthy" ? found.registration : undefined;
}

export type EnsureOptions = {
  flags: StartFlags;
  settings: Settings;
  world: World;
  /** Replaces the running daemon: the one with this id is not the one that is waited for. */
  instead?: string;
  want?: Extract<Want, "need" | "detach" | "restart">;
};

/** @throws an Error for a person, where no daemon can be started. */
export async function ensureDaemon({
  flags,
  settings,
  world,
  instead,
  want = "need",
}: EnsureOptions): Promise<Running> {
  const { stateDirectory } = settings;
  prepareStateDirectory(stateDirectory, { tighten: settings.ownPlace });
  const before = await findRunning(settings, want === "need" ? { world } : {});
  const outcome = outcomeOf(before, want);
  if (outcome === "refuse") throw daemonFailure(before, settings);
  if (outcome === "replace" && before.kind !== "healthy") {
    say(`${caseOf(wordsFor(before, settings)!)}; it is replaced`, world);
  }
  const words = ["server", "start", "--background", ...wordsOf(flags)];
  const command = ownProgram([...words, ...(instead === undefined ? ["--unless-running"] : [])]);
  const pid = instead === undefined ? undefined : before.registration?.pid;
  const isReplaced = instead !== undefined;
  const options = wordsOf(flags);
  const manager = await commandBy({ options, settings, world, pid, isReplaced });
  const connected = await connect({
    stateDirectory,
    clock: systemClock,
    spawn: () =>
      spawnedBy(manager, { command, env: daemonEnv(settings, world), log: settings.log }),
    ...(instead === undefined ? {} : { instead }),
  });
  if (connected.kind === "connected") return connected;
  const why = connected.kind === "failed" ? connected.why : "it is not running";
  const tail = connected.kind === "failed" ? connected.logTail : "";
  // The words of its error may be the last ones of its log too.
  const lines = tail.split("\n").filter((line) => line !== "" && !line.endsWith(why));
  const { err } = world;
  for (const line of lines.slice(-shownLines)) {
    err.write(`${err.colors.dim(printable(line, longestLine))}\n`);
  }
  throw new Failure(
    "not_started",
    `the daemon could not be started: ${why.replaceAll("\n", "; ")}; its log: ${settings.log}`,
  );
}

/** Lines, and characters of each, from the log of a daemon that could not be started. */
const shownLines = 5;
const longestLine = 500;

function daemonEnv(settings: Settings, { env }: World): World["env"] {
  if (settings.sandbox === undefined) return env;
  return { ...env, LOCALD_SANDBOX_ACTIVE: "1", LOCALD_SOCKET: settings.socket };
}

/** The options as typed; variables are passed on with the environment. */
function wordsOf(flags: StartFlags): string[] {
  const values = {
    port: flags.port,
    "http-port": flags.httpPort,
    "https-port": flags.httpsPort,
    scanner: flags.scanner,
  };
  const switches = {
    "https-redirect": flags.httpsRedirect,
    "other-users": flags.otherUsers,
    "all-users": flags.allUsers,
    verbose: flags.verbose,
  };
  return [
    ...(flags.tld ?? []).map((tld) => `--tld=${tld}`),
    ...Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
    ...Object.entries(switches).flatMap(([name, on]) => (on ? [`--${name}`] : [])),
  ];
}

/**
 * The record of the daemon for a verb that needs one: starts it, and reports that, where none is running. Undefined,
 * and reported, where `--port` may mean the proxy of another daemon, and where none can be started.
 */
export async function daemonFor(flags: Flags, world: World): Promise<Registration | undefined> {
  const settings = await settingsOf(flags, world);
  const tell = (text: string): void => void world.err.write(`${world.err.colors.dim(text)}\n`);
  const running = await daemonIfUsable(settings, world);
  if (running !== undefined || world.daemonTalk?.trouble) return running;
  if (settings.portFlag) {
    tell("the proxy is not running; start it with: localhostess server start");
    return undefined;
  }
  try {
    const daemon = await ensureDaemon({ flags: {}, settings, world });
    tellStarted(daemon, world);
    return daemon.registration;
  } catch (error) {
    tell(printable((error as Error).message, 2_000));
    return undefined;
  }
}

/** Reports a daemon that was started by the way. */
export function tellStarted({ started, registration }: Running, { err }: World): void {
  if (!started) return;
  const text = `started localhostess (pid ${registration.pid}); stop it with: localhostess server stop`;
  err.write(`${err.colors.dim(text)}\n`);
}

/**
 * The turn to start a daemon, had before its code is loaded. Undefined with `--unless-running`, where one runs; only
 * then is there a wait for others who are about to start one.
 */
export async function startingTurn(flags: StartFlags, world: World): Promise<Turn | undefined> {
  const settings = await settingsOf(flags, world);
  const { stateDirectory } = settings;
  if (!flags.unlessRunning) return takeTurn(stateDirectory) ?? { release() {} };
  return await turnToStart({
    stateDirectory,
    clock: systemClock,
    // A daemon that is busy is no reason for another.
    runs: async () => (await patientLook(settings, { bySocket: false })).kind === "healthy",
  });
}

/** `localhostess server start --detach`. */
export async function serverDetach(flags: StartFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const found = await findRunning(settings, { world });
  const another =
    found.kind === "healthy" && Boolean(settings.port) && settings.port !== found.registration.port;
  const instead = another ? found.registration.id : undefined;
  const running = await ensureDaemon({
    ...{ flags, settings, world, want: "detach" },
    ...(instead ? { instead } : {}),
  });
  return tell(running, { settings, world });
}

/** The first port that systems pick by themselves: Linux's ip_local_port_range. */
const firstPicked = 32_768;

/** `localhostess server restart`: the new daemon takes ports and services over, so that nothing is refused or ended. */
export async function serverRestart(flags: StartFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { registration } = await findRunning(settings, { world, mentions: false });
  const before = registration === undefined ? none : await runningServices(registration.socket);
  const kept =
    !isManaged(registration?.pid) &&
    settings.port === undefined &&
    registration !== undefined &&
    registration.port !== defaultPort
      ? // A port that the system picked is preferred, but not required: another program may get it in between.
        { port: String(registration.port < firstPicked ? registration.port : 0) }
      : {};
  const running = await ensureDaemon({
    flags: { ...flags, ...kept },
    settings,
    world,
    instead: registration?.id ?? "none",
    want: "restart",
  });
  if (registration !== undefined && registration.version !== running.registration.version) {
    await trialOver({ before: registration, after: running.registration, settings, world });
  }
  const fate =
    before.size === 0
      ? undefined
      : fateOf(before, await runningServices(running.registration.socket));
  const code = tell(running, { settings, world });
  if (fate !== undefined) world.err.write(`${world.err.colors.dim(fate)}\n`);
  return code;
}

type Trial = { before: Registration; after: Registration; settings: Settings; world: World };

/** Milliseconds between two looks at a daemon on trial, and after the trial for the one before to be found again. */
const trialPeriod = 250;
const trialSlack = 1_500;

/**
 * A daemon of another version is watched for as long as it is on trial. @throws a Failure where the one before goes on.
 */
async function trialOver({ before, after, settings, world }: Trial): Promise<void> {
  if (settings.trial === 0) return;
  const seconds = shownDuration(settings.trial);
  say(`watching the new daemon for ${seconds}: if it fails, the one before goes on`, world);
  const since = performance.now();
  while (performance.now() - since < settings.trial + trialSlack) {
    await new Promise<void>((resolve) => void systemClock.after(trialPeriod, resolve));
    const found = await oneLook(settings);
    if (found.kind !== "healthy" || found.registration.id !== before.id) continue;
    const who = `the new daemon (pid ${after.pid}, version ${after.version})`;
    const within = shownDuration(performance.now() - since);
    throw new Failure(
      "not_started",
      `${who} failed within ${within}, and the one before goes on (pid ${before.pid}, version ${before.version}); its log: ${settings.log}`,
    );
  }
}

const none: RunningServices = new Map();

function tell(
  { registration, started }: Running,
  { settings, world }: { settings: Settings; world: World },
): number {
  const { pid, port, httpPort } = registration;
  const url = originOf("localhost", { scheme: "http", port: httpPort ?? port });
  const state = started ? "is running in the background" : "is already running";
  // With --json, the answer is that of `server status`.
  if (!settings.json) world.out.write(`localhostess ${state} (pid ${pid}): ${url}\n`);
  const { colors } = world.err;
  const hint = `${started ? `log: ${settings.log}; ` : ""}stop it with: localhostess server stop`;
  world.err.write(`${colors.dim(hint)}\n`);
  return 0;
}
