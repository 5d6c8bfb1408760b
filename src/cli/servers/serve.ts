/** `localhostess serve [path]` -> the files of a folder under a name, until Ctrl-C; no file of the folder is needed. */
import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { projectNameFrom } from "../../manifest/project-name.ts";
import { nameOf } from "../../discovery/name.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { isOwnHost } from "../../sites/own-host.ts";
import { ReloadStreams } from "../../sites/reload-streams.ts";
import { SiteServer } from "../../sites/site-server.ts";
import { Site } from "../../sites/site.ts";
import { siteWatch } from "../../supervisor/project/site-watch.ts";
import { type Cancel, systemClock } from "../../system/clock.ts";
import { execInPlace } from "../../system/exec-in-place.ts";
import { folderEvents } from "../../system/folder-events.ts";
import { ownProgram } from "../../system/own-bun.ts";
import { absolute } from "../../text/absolute.ts";
import { printable, printablePath } from "../../text/printable.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { daemonFor } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { looker, portsOf } from "../shared/look.ts";
import { reach } from "../shared/reach.ts";
import { type Flags, type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import { show } from "../shared/show.ts";
import type { World } from "../shared/world.ts";

export type ServeFlags = Flags & {
  name?: string;
  reload?: boolean;
  /** True, or a file. */
  spa?: boolean | string;
  /** False with `--no-listing`. */
  listing?: boolean;
  open?: boolean;
  yes?: boolean;
};

/** The variable by which discovery names a process: it is read from what the process was started with. */
const nameVariable = "LOCALHOSTESS_NAME";

/** Milliseconds for the daemon to see the server, and between two looks. */
const foundPatience = 5000;
const foundPeriod = 100;

/** Milliseconds for answers under way, at Ctrl-C. */
const endPatience = 1000;
/** Milliseconds between two words to open pages. */
const beatPeriod = 25_000;

export async function serve(path: string, flags: ServeFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const folder = await folderAt(absolute(path, world.cwd), flags, world);
  const name = nameFor(folder, flags);
  if (world.env[nameVariable] !== name)
    return await again({ name, folder }, { flags, settings, world });
  const daemon = await daemonFor(flags, world);
  const streams = flags.reload ? new ReloadStreams() : undefined;
  const site = new Site({
    folder,
    fallback: flags.spa === true ? "index.html" : flags.spa || undefined,
    listing: flags.listing ?? true,
    reload: streams,
    title: name,
  });
  const { tlds } = settings;
  const server = new SiteServer({
    clock: systemClock,
    answer: (request) => site.answer(request),
    fault: (error) => void world.err.write(`${printable((error as Error).message)}\n`),
    isOurs: (host) =>
      ["localhost", ...tlds].some((tld) => isOwnHost(host, { routeName: name, domain: `.${tld}` })),
  });
  const port = server.listenOn(0);
  const stopWatching = streams === undefined ? undefined : watched(folder, { streams, world });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const cancel = world.onSignal(() => end());
  const url = serviceUrl(name, portsOf(settings, daemon).urlPorts.http);
  if (settings.json) printJsonLine(world, { name, url, path: folder, port });
  else tellServing({ url, folder, port }, world);
  if (flags.open && daemon !== undefined) {
    await isFound(name, { port, settings, ended });
    await show(url, world);
  }
  await ended;
  cancel();
  stopWatching?.();
  streams?.end();
  await server.stop(endPatience);
  return exitCode.done;
}

function tellServing(
  { url, folder, port }: { url: string; folder: string; port: number },
  { out, err }: World,
): void {
  out.write(`${out.colors.cyan(url)}\n`);
  const text = `serving ${printablePath(folder)}, also at http://localhost:${port}; Ctrl-C ends it`;
  err.write(`${err.colors.dim(text)}\n`);
}

/** A name in the environment of this process: the program begins again in its own place. */
async function again(
  { name, folder }: { name: string; folder: string },
  { flags, settings, world }: { flags: ServeFlags; settings: Settings; world: World },
): Promise<never> {
  const sight = await looker(settings, { world })();
  const reached = reach(name, sight);
  if (reached.kind === "server" || reached.kind === "absent") {
    const pid = reached.kind === "server" ? reached.service.process?.pid : undefined;
    const server = pid === undefined ? "another server" : `a server (pid ${pid})`;
    const its = reached.supervised?.id ?? server;
    const way = shellCommand(["localhostess", "serve", folder, "--name", `${name}-2`]);
    throw new Failure("exists", `${name} is the name of ${its} already; choose another: ${way}`);
  }
  const { spa } = flags;
  const words = [
    ...["serve", folder, "--name", name],
    ...(flags.port === undefined ? [] : ["--port", String(flags.port)]),
    ...(flags.reload ? ["--reload"] : []),
    ...(spa === undefined ? [] : [spa === true ? "--spa" : `--spa=${spa}`]),
    ...(flags.listing === false ? ["--no-listing"] : []),
    ...(flags.open ? ["--open"] : []),
    ...(flags.json ? ["--json"] : []),
    "--yes",
  ];
  const why = execInPlace({
    words: ownProgram(words),
    env: { ...definedOf(world.env), [nameVariable]: name },
    workdir: folder,
  });
  throw new Failure("failed", `the server cannot be started: ${why}`);
}

/** @throws an Error for a person. */
async function folderAt(path: string, { yes }: ServeFlags, world: World): Promise<string> {
  const shown = printablePath(path);
  let folder: string;
  try {
    folder = await realpath(path);
    if (!(await stat(folder)).isDirectory()) {
      throw new Failure("failed", `${shown} is a file; serve takes the folder that it is in`);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code})`;
    throw new Failure("failed", `${shown} ${why}`);
  }
  const home = await realpath(world.home).catch(() => world.home);
  // Every program of this machine could read what is in it, other people's too.
  if (!yes && `${home}/`.startsWith(folder === "/" ? "/" : `${folder}/`)) {
    const what = folder === home ? "your home folder" : "a folder above your home folder";
    throw new Failure(
      "declined",
      `${shown} is ${what}: every program and user of this machine could read it; serve a folder in it, or add --yes`,
    );
  }
  return folder;
}

function nameFor(folder: string, { name }: ServeFlags): string {
  if (name === undefined) return projectNameFrom(basename(folder) || "files").replaceAll("_", "-");
  const verdict = nameOf(name, { hostName: "", wsl: false });
  if (verdict.kind === "name") return verdict.name;
  throw new UsageError([verdict.kind === "unroutable" ? verdict.why : `${name} is not a name`]);
}

function watched(
  folder: string,
  { streams, world }: { streams: ReloadStreams; world: World },
): Cancel {
  const cancel = siteWatch({ clock: systemClock, events: folderEvents() })(folder, {
    onChange: (paths) => streams.changed(paths.map((its) => `/${its}`)),
    onTrouble(troubles) {
      for (const text of troubles) world.err.write(`${world.err.colors.yellow(`! ${text}`)}\n`);
    },
  });
  const stopBeat = systemClock.every(beatPeriod, () => streams.beat());
  return () => {
    cancel();
    stopBeat();
  };
}

/** Resolves once the name leads to the port, or nobody waits any longer. */
async function isFound(
  name: string,
  { port, settings, ended }: { port: number; settings: Settings; ended: Promise<void> },
): Promise<void> {
  const look = looker(settings);
  const until = systemClock.now() + foundPatience;
  while (systemClock.now() < until) {
    const reached = reach(name, await look());
    if (reached.kind === "server" && reached.service.endpoint.port === port) return;
    const over = await Promise.race([
      ended.then(() => true),
      new Promise<boolean>((resume) => void systemClock.after(foundPeriod, () => resume(false))),
    ]);
    if (over) return;
  }
}
