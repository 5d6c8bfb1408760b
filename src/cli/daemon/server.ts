/** `localhostess server start` -> the proxy in the foreground, until a signal. */
import { lstat } from "node:fs/promises";
import { listed } from "../../text/list.ts";
import packageJson from "../../../package.json" with { type: "json" };
import type { Daemon, DaemonOptions } from "../../daemon/daemon.ts";
import { printable } from "../../text/printable.ts";
import type { Changes } from "../../discovery/scanner.ts";
import { riskOf } from "../../manifest/tld.ts";
import type { ExtraPort } from "../../proxy/listener/own-ports.ts";
import type { Service } from "../../routes/service.ts";
import { originOf, type Scheme, serviceRow } from "../../routes/service-row.ts";
import { portRightCommand } from "../../text/port-right.ts";
import { holdersOf } from "../shared/port-holder.ts";
import type { Cancel } from "../../system/clock.ts";
import { logFile } from "../../system/log-file.ts";
import { takePassedSockets } from "../../system/passed-sockets.ts";
import { configFile } from "../../system/paths.ts";
import { certificateAuthorityDirectory } from "../../tls/certificate-authority-paths.ts";
import { prepareStateDirectory } from "../../system/state-directory.ts";
import { serviceLines, warningLines } from "../shared/rows.ts";
import { defaultPort, type Settings, settingsOf } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { findRunning, type StartFlags } from "../shared/daemon-here.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { Manager } from "./manager.ts";
import { statusOf } from "./server-status.ts";
import { trustChild } from "../shared/trust-child.ts";
import { noColors, type Screen, type World } from "../shared/world.ts";

export type StartDaemon = (options: DaemonOptions) => Promise<Daemon | undefined>;

/** The exit code that a shell reports for a program that Ctrl-C ended. */
const interrupted = 130;

export async function serverStart(
  flags: StartFlags,
  { world: its, startDaemon }: { world: World; startDaemon: StartDaemon },
): Promise<number> {
  const passed = takePassedSockets({ envs: [its.env, process.env], pid: process.pid });
  const settings = await settingsOf(flags, its);
  const world = flags.background ? logged(its, settings.log) : its;
  const { out, err } = world;
  const note = (text: string): void => {
    for (const line of text.split("\n")) err.write(`${err.colors.dim(printable(line))}\n`);
  };
  /** Changes that are found before the banner is printed. */
  const early: Changes[] = [];
  let log = (changes: Changes): void => void early.push(changes);
  const end = ending(world);
  const background = flags.background ?? false;
  const ignoreSignals = end.cancel;
  const manager = new Manager({ world, settings, background, note, ignoreSignals });
  const located = configFile(world);
  prepare(settings);
  let daemon: Daemon | undefined;
  try {
    daemon = await startDaemon({
      port: settings.port ?? (settings.sandbox === undefined ? defaultPort : 0),
      extraPorts: extraPorts(settings),
      httpsRedirect: settings.httpsRedirect,
      otherUsers: settings.otherUsers,
      infer: settings.infer,
      trial: settings.trial,
      scanner: settings.scanner,
      allUsers: settings.allUsers,
      stateDirectory: settings.stateDirectory,
      socket: settings.socket,
      log: flags.background ? settings.log : undefined,
      allowedOrigins: settings.config.allowed_origins?.value ?? [],
      trust: trustChild(world),
      env: world.env,
      configFile: located.kind === "path" ? located.path : undefined,
      serviceTrust: trustVariables({ settings, world, note }),
      unlessRunning: flags.unlessRunning ?? false,
      passed,
      // Elsewhere these ports are free.
      ...(world.platform === "linux" ? { helper: { version: packageJson.version } } : {}),
      mustBeFound: flags.background ?? false,
      tlds: settings.tlds,
      bareNames: settings.config.bare_names?.value ?? [],
      containers: settings.config.containers?.value ?? true,
      hostsBlock: hostsBlock(settings),
      onServices(_, changes) {
        log(changes);
      },
      onNote: note,
      onSkipped: settings.verbose ? note : () => {},
      onHandedOver: (pid) => manager.handedOver(pid),
      drain: manager.drain,
    });
  } catch (error) {
    const { code, port } = error as { code?: unknown; port?: unknown };
    if ((code !== "EADDRINUSE" && code !== "EACCES") || typeof port !== "number") throw error;
    throw new Failure("port_in_use", await whyNot(port, { code, settings }), { cause: error });
  }
  if (daemon === undefined) {
    note("another daemon is running already; exiting");
    return 0;
  }
  const { predecessor, port, urlPorts } = daemon;
  if (predecessor !== undefined) note(`took over from pid ${predecessor.pid}`);
  const without = await refusals(daemon, settings);
  log = (changes) => {
    const options = { world, port: urlPorts.http, timed: !flags.background };
    if (settings.json) printChanges(changes, options);
    else out.write(changeLines(changes, options));
  };
  if (settings.json) printJsonLine(world, statusOf(await findRunning(settings), settings));
  else out.write(banner(daemon, { settings, world, without }));
  for (const tld of settings.tlds) {
    const risk = riskOf(tld);
    if (risk !== undefined) err.write(`${err.colors.yellow(risk)}\n`);
  }
  for (const changes of early) log(changes);
  const heard = hearFaults(daemon, { world, note });
  manager.ready(daemon);
  void daemon.dismissed.then((why) => {
    note(`stopping, ${why}`);
    end.begin();
  });
  await end.begun;
  if (!daemon.isReplaced) manager.stopping();
  await daemon.stop();
  heard();
  if (flags.background) {
    note(
      daemon.isReplaced ? "exited; all is with the next daemon" : `exited; port ${port} is free`,
    );
  }
  return await manager.after(daemon);
}

/**
 * Just after it has taken over, a daemon with a fault had better leave its place to the one before. Later it goes on:
 * whatever the fault is about, everything else works, and Bun does not end a program that still waits for something.
 */
function hearFaults(
  { fails }: Daemon,
  { world, note }: { world: World; note(text: string): void },
): Cancel {
  const fault = (error: unknown): void => {
    if (fails(error instanceof Error ? error.message : String(error))) world.exit(exitCode.failed);
  };
  // Whoever hears of it has to write it down.
  const rejected = (error: unknown): void => {
    note(error instanceof Error ? (error.stack ?? error.message) : String(error));
    fault(error);
  };
  process.on("uncaughtExceptionMonitor", fault);
  process.on("unhandledRejection", rejected);
  return () => {
    process.off("uncaughtExceptionMonitor", fault);
    process.off("unhandledRejection", rejected);
  };
}

/** Milliseconds for which the last bundles are reused: they change with the certificate authority. */
const bundlesKept = 10_000;

type TrustVariables = { settings: Settings; world: World; note(text: string): void };

function trustVariables({ settings, world, note }: TrustVariables) {
  let last: { at: number; variables: Promise<Record<string, string>> } | undefined;
  return (): Promise<Record<string, string>> => {
    if (last === undefined || performance.now() - last.at > bundlesKept) {
      const variables = hasAuthority(settings)
        .then(async (has) => {
          if (!has) return {};
          const { bundleVariables } = await import("../shared/bundles.ts");
          return await bundleVariables(settings, { world, note });
        })
        .catch((error: Error) => {
          note(`services will not trust https names: ${error.message}`);
          return {};
        });
      last = { at: performance.now(), variables };
    }
    return last.variables;
  };
}

/** The reader of certificates takes the daemon a tenth of a second to load, in which it answers nobody. */
async function hasAuthority({ stateDirectory }: Settings): Promise<boolean> {
  const folders = (["names", "bare"] as const).map((kind) =>
    certificateAuthorityDirectory(stateDirectory, kind),
  );
  const found = await Promise.all(
    folders.map((folder) =>
      lstat(folder).then(
        () => true,
        // Whatever cannot be looked at is reported by the verbs about trust.
        (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
      ),
    ),
  );
  return found.includes(true);
}

/** A directory that others could write is an error; one that cannot be created only hides the daemon from clients. */
function prepare(settings: Settings): void {
  try {
    prepareStateDirectory(settings.stateDirectory, { tighten: settings.ownPlace });
  } catch (error) {
    // Errors of the system have a code; the daemon meets them again and reports them.
    if ((error as { code?: unknown }).code === undefined) throw error;
  }
}

/** The same world for a daemon without a terminal: its output goes into its log. */
function logged(world: World, path: string): World {
  const { write } = logFile(path, { now: Date.now });
  const screen: Screen = {
    write(text) {
      write(text);
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  };
  return { ...world, out: screen, err: screen };
}

/** A chosen main port is in every URL, unless an additional port was chosen too. */
function extraPorts({ port: main, standardPorts }: Settings): ExtraPort[] {
  return (["http", "https"] as const).flatMap((scheme: Scheme) => {
    const { port, chosen } = standardPorts[scheme];
    return port === undefined ? [] : [{ scheme, port, shown: chosen || main === undefined }];
  });
}

/** Daemons beside the usual one would write over its names, and it over theirs: a user has one block. */
function hostsBlock({ sandbox, ownPlace, config }: Settings): DaemonOptions["hostsBlock"] {
  if (sandbox !== undefined || !ownPlace) return undefined;
  return { wanted: config.hosts?.value, root: "/" };
}

/** The first signal begins the drain; a second one ends the process at once. */
function ending(world: World): { begun: Promise<void>; begin(): void; cancel: Cancel } {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  let ends = false;
  const begin = (): void => {
    ends = true;
    resolve();
  };
  const cancel = world.onSignal(() => {
    if (ends) {
      world.exit(interrupted);
      return;
    }
    world.err.write(`${world.err.colors.dim("stopping; a second signal exits immediately")}\n`);
    begin();
  });
  return { begun, begin, cancel };
}

type BannerOptions = {
  settings: Settings;
  world: World;
  /** Sentences about ports that are not available. */
  without: readonly string[];
};

function banner(daemon: Daemon, { settings, world, without }: BannerOptions): string {
  const { port, ports, urlPorts, addresses } = daemon;
  const { colors } = world.out;
  const at = (host: string, scheme: Scheme) => originOf(host, { scheme, port: urlPorts[scheme] });
  const hosts = ["<name>", ...settings.tlds.map((tld) => `<name>.${tld}`)];
  const byPac = hosts.map((host) => `http://${host}/`);
  const main = originOf("localhost", { scheme: "http", port });
  const rows = [
    [at("localhost", "http"), "list of servers"],
    [at("<name>.localhost", "http"), "a server started with NAME=<name>"],
    [at("<name>.localhost", "https"), "the same over https; to trust it: localhostess trust"],
    [`${main}/proxy.pac`, `PAC file for browsers: ${byPac.join(", ")}`],
  ] as const;
  const width = Math.max(...rows.map(([url]) => url.length));
  const listening = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const numbers = `${ports.length > 1 ? "ports" : "port"} ${listed(ports)}`;
  const sentences = [
    ...(settings.otherUsers ? ["also serving other users of this machine (other_users)"] : []),
    ...(settings.httpsRedirect
      ? ["page loads over http are redirected to https (--https-redirect)"]
      : []),
    ...without,
  ];
  return [
    `${colors.bold("localhostess")} ${packageJson.version} ${colors.dim(`on ${listed(listening)}, ${numbers}`)}`,
    ...rows.map(([url, what]) => `  ${colors.cyan(url.padEnd(width))}  ${colors.dim(what)}`),
    ...sentences.map((sentence) => `  ${colors.dim(printable(sentence, 500))}`),
    "\n",
  ].join("\n");
}

type LogOptions = {
  world: World;
  port: number;
  /** Lines begin with the time, where no log adds it. */
  timed: boolean;
};

function changeLines(changes: Changes, { world, port, timed }: LogOptions): string {
  const { colors } = world.out;
  const marks: [mark: string, services: readonly Service[]][] = [
    [colors.green("+"), changes.appeared],
    [colors.yellow("~"), changes.changed],
    [colors.red("-"), changes.gone],
  ];
  const time = timed ? `${colors.dim(new Date().toTimeString().slice(0, 8))} ` : "";
  const before = "00:00:00 + ".length;
  const columns = world.out.columns();
  const options = {
    port,
    columns: columns === undefined ? undefined : Math.max(1, columns - before),
    colors,
  };
  const lines = marks.flatMap(([mark, services]) => [
    ...serviceLines(services, options).map((line) => `${time}${mark} ${line}`),
    // Services that are gone need no warnings.
    ...(services === changes.gone ? [] : warningLines(services, options)),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

/** A line for each change, as in the event `service`, with the row of `ls`. */
function printChanges(changes: Changes, { world, port }: LogOptions): void {
  for (const change of ["appeared", "changed", "gone"] as const) {
    for (const service of changes[change]) {
      printJsonLine(world, { change, service: serviceRow(service, port) });
    }
  }
}

/** Why the main port is not available, and what to do. */
async function whyNot(port: number, { code, settings }: { code: string; settings: Settings }) {
  const another = "choose another port (--port 0 picks one)";
  if (code === "EACCES") {
    return `port ${port} requires permission: ${portRightCommand([port])}; or ${another}`;
  }
  const [holder] = await holdersOf([port], settings);
  const { who, pid, stop, ours } = holder!;
  if (ours) {
    const url = originOf("localhost", { scheme: "http", port });
    return `localhostess is already running on port ${port} (pid ${pid}): ${url}; stop it with: localhostess server stop, or: kill ${pid}`;
  }
  return `port ${port} is in use by ${who}; ${another}, or stop it${stop === undefined ? "" : `: ${stop}`}`;
}

/** A sentence for each reason why URLs need a port. */
async function refusals({ refusedPorts }: Daemon, settings: Settings): Promise<string[]> {
  const having = (code: string) => refusedPorts.filter((its) => its.code === code);
  const [closed, taken] = [having("EACCES"), having("EADDRINUSE").map(({ port }) => port)];
  const holders = taken.length === 0 ? [] : await holdersOf(taken, settings);
  const others = refusedPorts.filter((its) => !closed.includes(its) && !taken.includes(its.port));
  const remedies = closed.map(({ port, why, fix = portRightCommand([port]) }) => {
    return `for URLs without a port: ${fix}, then restart (${why})`;
  });
  return [
    // Most often the same for both ports.
    ...new Set(remedies),
    ...holders.map(({ who }, index) => `not using port ${taken[index]}, which is in use by ${who}`),
    ...others.map(({ port, why }) => `not using port ${port}: ${why}`),
  ];
}
