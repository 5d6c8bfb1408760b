/** `localhostess server start` -> the proxy in the foreground, until a signal. */
import packageJson from "../../package.json" with { type: "json" };
import { removeRegistration, writeRegistration } from "../control/registration.ts";
import type { Daemon, DaemonOptions } from "../daemon.ts";
import { printable } from "../discovery/printable.ts";
import type { Changes } from "../discovery/scanner.ts";
import { riskOf } from "../manifest/tld.ts";
import type { ExtraPort } from "../proxy/own-ports.ts";
import type { Service } from "../routes/service.ts";
import { originOf, type Scheme } from "../routes/service-row.ts";
import { holdersOf, rightCommand } from "./port-holder.ts";
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
  const settings = await settingsOf(flags, world);
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
      extraPorts: extraPorts(settings),
      httpsRedirect: settings.httpsRedirect,
      scanner: settings.scanner,
      allUsers: settings.allUsers,
      stateDirectory: settings.stateDirectory,
      tlds: settings.tlds,
      onServices(_, changes) {
        log(changes);
      },
      onNote: note,
      onSkipped: settings.verbose ? note : () => {},
    });
  } catch (error) {
    const { code, port } = error as { code?: unknown; port?: unknown };
    if ((code !== "EADDRINUSE" && code !== "EACCES") || typeof port !== "number") throw error;
    throw new Error(await whyNot(port, { code, settings }), { cause: error });
  }
  const without = await refusals(daemon, settings);
  // Before the banner: whoever has read that may ask for the port.
  const unregister = await register(daemon, { settings, world });
  log = (changes) => void out.write(changeLines(changes, { world, port: daemon.urlPorts.http }));
  out.write(banner(daemon, { settings, world, without }));
  for (const tld of settings.tlds) {
    const risk = riskOf(tld);
    if (risk !== undefined) err.write(`${err.colors.yellow(risk)}\n`);
  }
  for (const changes of early) log(changes);
  await stopped;
  await unregister();
  await daemon.stop();
  return 0;
}

/** Somebody who chose the main port has it in every URL, unless another was chosen too. */
function extraPorts({ port: main, standardPorts }: Settings): ExtraPort[] {
  return (["http", "https"] as const).flatMap((scheme: Scheme) => {
    const { port, chosen } = standardPorts[scheme];
    return port === undefined ? [] : [{ scheme, port, shown: chosen || main === undefined }];
  });
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
  const { port, urlPorts } = daemon;
  const id = crypto.randomUUID();
  const { err } = world;
  try {
    await writeRegistration(stateDirectory, {
      id,
      pid: process.pid,
      startedAt: Math.floor(performance.timeOrigin),
      port,
      ...(urlPorts.http === port ? {} : { httpPort: urlPorts.http }),
      ...(urlPorts.https === port ? {} : { httpsPort: urlPorts.https }),
      version: packageJson.version,
      tlds: settings.tlds,
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

type BannerOptions = {
  settings: Settings;
  world: World;
  /** Sentences about ports that could not be had. */
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
    [at("localhost", "http"), "what runs"],
    [at("<name>.localhost", "http"), "a server started with NAME=<name>"],
    [at("<name>.localhost", "https"), "the same; trusted after: localhostess trust"],
    [`${main}/proxy.pac`, `for browsers: ${byPac.join(", ")}`],
  ] as const;
  const width = Math.max(...rows.map(([url]) => url.length));
  const listening = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const numbers = `port${ports.length > 1 ? "s" : ""} ${ports.join(", ").replace(/, (\d+)$/, " and $1")}`;
  const sentences = [
    ...(settings.httpsRedirect ? ["page loads by http are sent to https (--https-redirect)"] : []),
    ...without,
  ];
  return [
    `${colors.bold("localhostess")} ${packageJson.version} ${colors.dim(`on ${listening.join(" and ")}, ${numbers}`)}`,
    ...rows.map(([url, what]) => `  ${colors.cyan(url.padEnd(width))}  ${colors.dim(what)}`),
    ...sentences.map((sentence) => `  ${colors.dim(printable(sentence, 500))}`),
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

/** A sentence about a main port that cannot be had, with the way out. */
async function whyNot(port: number, { code, settings }: { code: string; settings: Settings }) {
  const another = "choose another (--port 0 picks one)";
  if (code === "EACCES") {
    return `port ${port} needs a right: ${rightCommand([port])}; or ${another}`;
  }
  const [holder] = await holdersOf([port], settings);
  const { who, pid, ours } = holder!;
  if (ours) {
    const url = originOf("localhost", { scheme: "http", port });
    return `localhostess runs already on port ${port}, as pid ${pid}: ${url}; to stop it: kill ${pid}`;
  }
  return `port ${port} is in use by ${who}; ${another}, or stop it${pid === undefined ? "" : `: kill ${pid}`}`;
}

/** A sentence for each reason why URLs have a port. */
async function refusals({ refusedPorts }: Daemon, settings: Settings): Promise<string[]> {
  const having = (code: string) =>
    refusedPorts.filter((its) => its.code === code).map(({ port }) => port);
  const [closed, taken] = [having("EACCES"), having("EADDRINUSE")];
  const holders = taken.length === 0 ? [] : await holdersOf(taken, settings);
  const others = refusedPorts.filter(({ port }) => !closed.includes(port) && !taken.includes(port));
  return [
    ...(closed.length === 0
      ? []
      : [`for URLs without a port: ${rightCommand(closed)}, then start again`]),
    ...holders.map(
      ({ who }, index) => `we do without port ${taken[index]}, which is in use by ${who}`,
    ),
    ...others.map(({ port, why }) => `not on port ${port}: ${why}`),
  ];
}
