/** `localhostess up [path] [service...]` -> what a project declares, running and ready, or why it is not. */
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { printable } from "../../text/printable.ts";
import { serviceWithin, unquoted } from "../../routes/named.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import { systemClock } from "../../system/clock.ts";
import { readDuration, shownDuration } from "../shared/duration.ts";
import { follower } from "./logs.ts";
import { tellPending } from "./pending-note.ts";
import { progress } from "./progress.ts";
import { noProject, projectFolderOf, projectIn } from "../shared/project-files.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { ensureDaemon } from "../shared/daemon-here.ts";
import { answerOf, carriedOut, type Ended, type Row, rowsOf } from "./supervised.ts";
import type { World } from "../shared/world.ts";

export type UpFlags = Flags & {
  /** `false`: `--no-wait`. */
  wait?: boolean;
  timeout?: string;
  foreground?: boolean;
};

/** Lines of a service that did not become ready. */
const lastLines = 20;

export async function up(words: readonly string[], flags: UpFlags, world: World): Promise<number> {
  const patience = patienceOf(flags.timeout);
  if (flags.foreground && flags.wait === false) {
    throw new UsageError(["--foreground stays, and --no-wait goes: one of them"]);
  }
  const { project, services } = await asked(words, world);
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  const { dim } = world.err.colors;
  if (daemon.started) {
    const { pid } = daemon.registration;
    world.err.write(
      `${dim(`started localhostess, pid ${pid}; to stop it: localhostess server stop`)}\n`,
    );
  }
  const { socket } = daemon.registration;
  const request = {
    Start: {
      project_path: project.directory,
      verbose: flags.verbose ?? false,
      env: definedOf(world.env),
      ...(services.length === 0 ? {} : { services }),
    },
  };
  if (flags.foreground) return await foreground({ socket, request, project, world });
  return await background({ socket, request, project, world, flags, patience });
}

type Upping = { socket: string; request: unknown; project: ProjectSpec; world: World };

async function background({
  patience,
  flags,
  ...upping
}: Upping & { flags: UpFlags; patience: number | undefined }): Promise<number> {
  const { socket, request, project, world } = upping;
  const steps = progress({ screen: world.err, clock: systemClock, nameOf: nameWithin(project) });
  const interrupted = Promise.withResolvers<"interrupted">();
  const cancelSignal = world.onSignal(() => interrupted.resolve("interrupted"));
  const late = Promise.withResolvers<"late">();
  const cancelLate =
    patience === undefined ? () => {} : systemClock.after(patience, () => late.resolve("late"));
  const concerned = new Set<string>();
  const begun = Promise.withResolvers<"begun">();
  const carried = carriedOut(socket, request, {
    hear(event) {
      if (event.type === "StepStarted" && event.data.id !== "config") {
        concerned.add(event.data.id);
        if (flags.wait === false) begun.resolve("begun");
      }
      steps.hear(event);
    },
  });
  try {
    const ended = await Promise.race([carried, interrupted.promise, late.promise, begun.promise]);
    steps.end();
    if (ended === "interrupted") {
      world.err.write("localhostess: it goes on without you; localhostess stop stops it\n");
      return 1;
    }
    if (ended === "begun") return 0;
    const result: Ended =
      ended === "late"
        ? { kind: "failed", reasons: [`not ready within ${shownDuration(patience!)}`] }
        : ended;
    return await told(result, { ...upping, project, concerned });
  } finally {
    cancelSignal();
    cancelLate();
    steps.end();
  }
}

/** What runs now with its URL on stdout; what does not with its last lines on stderr. */
async function told(
  ended: Ended,
  { socket, world, project, concerned }: Upping & { concerned: ReadonlySet<string> },
): Promise<number> {
  const { out, err } = world;
  const known = await rowsOf(socket).catch(() => []);
  tellPending(known, world);
  const rows = known.filter((row) => concerned.has(row.name));
  const name = nameWithin(project);
  const width = Math.max(0, ...rows.map((row) => name(row.name).length));
  for (const row of rows.filter((its) => its.ready)) {
    const where = row.url ?? "(a worker)";
    out.write(`${out.colors.bold(name(row.name).padEnd(width))}  ${out.colors.cyan(where)}\n`);
  }
  if (ended.kind === "done") {
    if (concerned.size === 0) {
      const text = `${project.name}: nothing to start before the first request to it`;
      err.write(`${err.colors.dim(text)}\n`);
    }
    return 0;
  }
  for (const reason of ended.reasons) {
    err.write(`${err.colors.red(`localhostess: ${printable(reason, 2_000)}`)}\n`);
  }
  for (const row of rows) {
    if (row.ready || row.state === "stopped") continue;
    await tellLines(row, { socket, world });
  }
  return 1;
}

async function tellLines(
  row: Row,
  { socket, world: { err } }: { socket: string; world: World },
): Promise<void> {
  const lines = await latestOf(row, socket);
  if (lines.length === 0) return;
  err.write(`${err.colors.dim(`the last lines of ${row.name}:`)}\n`);
  for (const line of lines) err.write(`  ${printable(Bun.stripANSI(line))}\n`);
}

async function latestOf(row: Row, socket: string): Promise<readonly string[]> {
  const kept = row.exit?.lastLines ?? [];
  if (kept.length > 0) return kept.slice(-lastLines);
  const lines: string[] = [];
  try {
    const request = { Logs: { service: row.name, tail: lastLines } };
    for await (const { message } of follower(socket, request)) lines.push(message);
  } catch {
    // The reason has been told; that its lines cannot be had is none of it.
  }
  return lines.slice(-lastLines);
}

/** Until Ctrl-C, which stops what was started. */
async function foreground({ socket, request, project, world }: Upping): Promise<number> {
  const { err } = world;
  const steps = progress({
    screen: err,
    clock: systemClock,
    drawn: false,
    nameOf: nameWithin(project),
  });
  const interrupted = Promise.withResolvers<"interrupted">();
  let signals = 0;
  const cancel = world.onSignal(() => {
    signals++;
    // Who says it twice does not want to wait for anything.
    if (signals > 1) world.exit(1);
    interrupted.resolve("interrupted");
  });
  const { follow } = await import("./logs.ts");
  const wanted = { project: project.name, mode: "follow", since: Date.now() } as const;
  const logs = follow({ socket, world, wanted, nameOf: nameWithin(project) });
  try {
    const started = carriedOut(socket, request, steps);
    const first = await Promise.race([started, interrupted.promise]);
    let code = 0;
    if (first !== "interrupted" && first.kind === "failed") {
      for (const reason of first.reasons) {
        err.write(`${err.colors.red(`localhostess: ${printable(reason, 2_000)}`)}\n`);
      }
      code = 1;
    } else if (first !== "interrupted") {
      const next = await Promise.race([interrupted.promise, logs.ended]);
      if (next !== "interrupted") {
        err.write("localhostess: the daemon has ended, and its services with it\n");
        return 1;
      }
    }
    err.write(`${err.colors.dim(`stopping ${project.name}`)}\n`);
    await answerOf(socket, { Stop: { name: project.name } }, { deadline: 120_000 });
    // What they said while they ended.
    await Promise.race([logs.ended, Bun.sleep(150)]);
    return code;
  } finally {
    cancel();
    logs.stop();
  }
}

type AskedFor = { project: ProjectSpec; services: readonly string[] };

/** The first word is a folder, or a service like the others. @throws an Error with every mistake */
async function asked(words: readonly string[], world: World): Promise<AskedFor> {
  const [first, ...others] = words;
  const isPath = first !== undefined && (await namesFolder(first, world));
  const directory = await realpath(await projectFolderOf(isPath ? first : undefined, world));
  const read = await projectIn(directory, world);
  if (read.kind === "none") throw noProject(directory);
  if (read.kind === "mistakes") {
    for (const mistake of read.mistakes) world.err.write(`${printable(mistake, 2_000)}\n`);
    throw new Error(
      `nothing was started: ${read.mistakes.length === 1 ? "there is a mistake" : "there are mistakes"} in the files of ${directory}`,
    );
  }
  const { project } = read;
  const services = (isPath ? others : words).map((word) => serviceIn(project, word));
  return { project, services: [...new Set(services)] };
}

async function namesFolder(word: string, world: World): Promise<boolean> {
  if (word.includes("/") || word === "." || word === "..") return true;
  const read = await projectFolderOf(undefined, world).then((its) => projectIn(its, world));
  if (read.kind === "project" && read.project.services.some((its) => its.name === word)) {
    return false;
  }
  const found = await stat(resolve(world.cwd, word)).catch(() => undefined);
  return found !== undefined && (found.isDirectory() || word === "locald.toml");
}

function serviceIn({ name, services }: ProjectSpec, word: string): string {
  const names = services.map((its) => its.name);
  const found = serviceWithin(word, { project: name, services: names });
  if (found.kind === "service") return found.name;
  throw new Error(
    `${name} has no service ${unquoted(word)}${found.hint} (it has: ${names.join(", ")})`,
  );
}

/** `shop:api` -> `api`, where all are of one project. */
export function nameWithin({ name }: { name: string }): (id: string) => string {
  return (id) => (id.startsWith(`${name}:`) ? id.slice(name.length + 1) : id);
}

export function definedOf(env: World["env"]): Record<string, string> {
  const defined = Object.entries(env).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Record<string, string>;
}

/** Milliseconds; undefined: as long as it takes. @throws UsageError */
function patienceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = readDuration(text);
  if (milliseconds === undefined || milliseconds === 0) {
    throw new UsageError([`--timeout ${JSON.stringify(text)}: a time is such as 30s, 500ms or 2m`]);
  }
  return milliseconds;
}
