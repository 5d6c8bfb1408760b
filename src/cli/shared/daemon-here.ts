/** Settings -> the running daemon, started in the background if necessary. */
import { connect, type Connected, findDaemon, type Found } from "../../control/found/connect.ts";
import type { Registration } from "../../control/found/protocol.ts";
import { spawnDaemon } from "../../control/found/spawn.ts";
import { takeTurn, type Turn, turnToStart } from "../../control/found/turn.ts";
import { printable } from "../../text/printable.ts";
import { originOf } from "../../routes/service-row.ts";
import { systemClock } from "../../system/clock.ts";
import { ownProgram } from "../../system/own-bun.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
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

/** The running daemon, as far as it proves itself. */
export function findRunning(settings: Settings): Promise<Found> {
  return findDaemon(settings.stateDirectory, { clock: systemClock });
}

/** The record of the running daemon; undefined where none is running. */
export async function runningDaemon(settings: Settings) {
  const found = await findRunning(settings);
  return found.kind === "healthy" ? found.registration : undefined;
}

export type EnsureOptions = {
  flags: StartFlags;
  settings: Settings;
  world: World;
  /** Replaces the running daemon: the one with this id is not the one that is waited for. */
  instead?: string;
};

/** @throws an Error for a person, where no daemon can be started. */
export async function ensureDaemon({
  flags,
  settings,
  world,
  instead,
}: EnsureOptions): Promise<Running> {
  const { stateDirectory } = settings;
  prepareStateDirectory(stateDirectory, { tighten: settings.ownPlace });
  const words = ["server", "start", "--background", ...wordsOf(flags)];
  const command = ownProgram([...words, ...(instead === undefined ? ["--unless-running"] : [])]);
  const connected = await connect({
    stateDirectory,
    clock: systemClock,
    spawn: () => spawnDaemon({ command, env: daemonEnv(settings, world), log: settings.log }),
    ...(instead === undefined ? {} : { instead }),
  });
  if (connected.kind === "connected") return connected;
  const why = connected.kind === "failed" ? connected.why : "it is not running";
  const tail = connected.kind === "failed" ? connected.logTail : "";
  // The words of its error may be the last ones of its log too.
  const before = tail.split("\n").filter((line) => line !== "" && !line.endsWith(why));
  const { err } = world;
  for (const line of before.slice(-shownLines)) {
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
  const running = await runningDaemon(settings);
  if (running !== undefined) return running;
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
    runs: async () => (await findRunning(settings)).kind === "healthy",
  });
}

/** `localhostess server start --detach`. */
export async function serverDetach(flags: StartFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const found = await findRunning(settings);
  const another =
    found.kind === "healthy" && Boolean(settings.port) && settings.port !== found.registration.port;
  const instead = another ? found.registration.id : undefined;
  return tell(await ensureDaemon({ flags, settings, world, ...(instead ? { instead } : {}) }), {
    settings,
    world,
  });
}

/** The first port that systems pick by themselves: Linux's ip_local_port_range. */
const firstPicked = 32_768;

/** `localhostess server restart`: the new daemon takes the ports over, so that no connection is refused. */
export async function serverRestart(flags: StartFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { registration } = await findRunning(settings);
  const kept =
    settings.port === undefined && registration !== undefined && registration.port !== defaultPort
      ? // A port that the system picked is preferred, but not required: another program may get it in between.
        { port: String(registration.port < firstPicked ? registration.port : 0) }
      : {};
  const running = await ensureDaemon({
    flags: { ...flags, ...kept },
    settings,
    world,
    instead: registration?.id ?? "none",
  });
  return tell(running, { settings, world });
}

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
