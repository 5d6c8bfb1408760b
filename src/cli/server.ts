/** `localhostess server start` -> the proxy in the foreground, until a signal. */
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { protocol } from "../control/protocol.ts";
import {
  readRegistration,
  removeRegistration,
  writeRegistration,
} from "../control/registration.ts";
import type { Daemon, DaemonOptions } from "../daemon.ts";
import { printable } from "../discovery/printable.ts";
import type { Changes } from "../discovery/scanner.ts";
import type { Service } from "../routes/service.ts";
import { ownersOf, sourceOf } from "./look.ts";
import { serviceLines, warningLines } from "./rows.ts";
import { defaultPort, type Flags, type Settings, settingsOf } from "./settings.ts";
import type { World } from "./world.ts";

export type StartDaemon = (options: DaemonOptions) => Promise<Daemon>;

/** What a shell reports of a program that Ctrl-C ended. */
const interrupted = 130;

export async function serverStart(
  flags: Flags,
  { world, startDaemon }: { world: World; startDaemon: StartDaemon },
): Promise<number> {
  const settings = settingsOf(flags, world);
  const { out, err } = world;
  const note = (text: string): void => {
    for (const line of text.split("\n")) err.write(`${err.colors.dim(printable(line))}\n`);
  };
  /** What was found so far waits for the banner. */
  const early: Changes[] = [];
  let log = (changes: Changes): void => void early.push(changes);
  const stopped = stopSignals(world);
  let daemon: Daemon;
  try {
    daemon = await startDaemon({
      port: settings.port ?? defaultPort,
      scanner: settings.scanner,
      allUsers: settings.allUsers,
      stateDirectory: settings.stateDirectory,
      onServices(_, changes) {
        log(changes);
      },
      onNote: note,
      onSkipped: settings.verbose ? note : () => {},
    });
  } catch (error) {
    const { code, port } = error as { code?: unknown; port?: unknown };
    if (code !== "EADDRINUSE" || typeof port !== "number") throw error;
    throw new Error(await whoHolds(port, settings), { cause: error });
  }
  // Before the banner: whoever has read that may ask for the port.
  const unregister = await register(daemon, { settings, world });
  log = (changes) => void out.write(changeLines(changes, { world, port: daemon.port }));
  out.write(banner(daemon, world));
  for (const changes of early) log(changes);
  await stopped;
  await unregister();
  await daemon.stop();
  return 0;
}

/** Resolves with the first signal; the second ends the process, for a drain that takes too long for somebody. */
function stopSignals(world: World): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = false;
  world.onSignal(() => {
    if (seen) world.exit(interrupted);
    seen = true;
    world.err.write(`${world.err.colors.dim("stopping; once more ends it at once")}\n`);
    resolve();
  });
  return promise;
}

/** @returns What undoes it. */
async function register(
  daemon: Daemon,
  { settings, world }: { settings: Settings; world: World },
): Promise<() => Promise<void>> {
  const { stateDirectory } = settings;
  const id = crypto.randomUUID();
  const { err } = world;
  try {
    await writeRegistration(stateDirectory, {
      id,
      pid: process.pid,
      startedAt: Math.floor(performance.timeOrigin),
      port: daemon.port,
      version: packageJson.version,
      protocol,
      url: `http://127.0.0.1:${daemon.port}`,
      socket: join(stateDirectory, "daemon.sock"),
    });
  } catch (error) {
    // The proxy works without; only the other verbs have to be told its port.
    const text = `other commands cannot learn the port: ${(error as Error).message}`;
    err.write(`${err.colors.yellow(text)}\n`);
  }
  return () =>
    removeRegistration(stateDirectory, id).catch((error: Error) => {
      // It names a process that is about to end, so nobody will believe it.
      err.write(`${err.colors.yellow(`the record of this proxy stays: ${error.message}`)}\n`);
    });
}

function banner({ port, addresses }: Daemon, { out: { colors } }: World): string {
  const suffix = port === 80 ? "" : `:${port}`;
  const rows = [
    [`http://localhost${suffix}`, "what runs"],
    [`http://<name>.localhost${suffix}`, "a server started with NAME=<name>"],
    [`https://<name>.localhost${suffix}`, "the same; trusted after: localhostess trust"],
    [`http://localhost${suffix}/proxy.pac`, "for browsers: http://<name>/"],
  ] as const;
  const width = Math.max(...rows.map(([url]) => url.length));
  const listening = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  return [
    `${colors.bold("localhostess")} ${packageJson.version} ${colors.dim(`on ${listening.join(" and ")}, port ${port}`)}`,
    ...rows.map(([url, what]) => `  ${colors.cyan(url.padEnd(width))}  ${colors.dim(what)}`),
    "\n",
  ].join("\n");
}

type LogOptions = { world: World; port: number };

function changeLines(changes: Changes, { world, port }: LogOptions): string {
  const { colors } = world.out;
  const marks: [mark: string, services: readonly Service[]][] = [
    [colors.green("+"), changes.appeared],
    [colors.yellow("~"), changes.changed],
    [colors.red("-"), changes.gone],
  ];
  const time = new Date().toTimeString().slice(0, 8);
  const before = `${time} + `.length;
  const columns = world.out.columns();
  const options = {
    port,
    columns: columns === undefined ? undefined : Math.max(1, columns - before),
    colors,
  };
  const lines = marks.flatMap(([mark, services]) => [
    ...serviceLines(services, options).map((line) => `${colors.dim(time)} ${mark} ${line}`),
    // What is gone needs no warning.
    ...(services === changes.gone ? [] : warningLines(services, options)),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

/** A sentence about a port that is taken, with the way out. */
async function whoHolds(port: number, settings: Settings): Promise<string> {
  const way = `choose another (--port 0 picks one), or stop it`;
  const record = await readRegistration(settings.stateDirectory);
  // The record may be of another port, or of a pid that somebody else has by now.
  const scan = await sourceOf({ ...settings, allUsers: true }).scan();
  const owners = ownersOf(scan, port);
  const own = owners.find((its) => its.pid === record?.pid);
  if (own !== undefined) {
    return `localhostess runs already on port ${port}, as pid ${own.pid}: http://localhost:${port}; to stop it: kill ${own.pid}`;
  }
  const [holder] = owners;
  if (holder === undefined) {
    return `port ${port} is in use by a process that cannot be seen, perhaps another user's; ${way}`;
  }
  const others = owners.length > 1 ? ` and ${owners.length - 1} more` : "";
  return `port ${port} is in use by pid ${holder.pid}${others}: ${printable(holder.command, 200)}; ${way}: kill ${holder.pid}`;
}
