/** Names, a number and a time -> lines of output, ordered by time, and new ones no faster than they are read. */
import { isoTime } from "../../routes/json-form.ts";
import type { OutputLine } from "../../routes/project-report.ts";
import type { LogLine, ServiceLog } from "../../supervisor/logs/log-store.ts";
import type { Projects } from "../../supervisor/projects.ts";
import { type Cancel, systemClock } from "../../system/clock.ts";
import { type Backend, CommandError, type Receiver, type Stream } from "./command.ts";
import type { LogEntry } from "./daemon-report.ts";
import { merged } from "./merged-logs.ts";
import { noService } from "./no-service.ts";

export type LogsWanted = {
  service?: string | null | undefined;
  services?: readonly string[] | undefined;
  project?: string | undefined;
  /** The folder of a project, absolute. */
  project_path?: string | undefined;
  mode: "snapshot" | "follow";
  tail?: number | undefined;
  /** ISO 8601. */
  since?: string | undefined;
};

type LogBackend = Pick<Backend, "feed" | "projects" | "services">;

/** The name of the daemon's own lines. */
const daemonName = "localhostess";

/** Lines that are taken from one log at once. */
const portion = 500;

/** Bytes that may wait for the reader before it gets more; far below those at which it is cut off. */
const enoughPending = 128 * 1024;

/** Milliseconds until a reader that has enough is looked at again. */
const pause = 10;

/** @throws CommandError where a name means nothing. */
export async function logStream(wanted: LogsWanted, backend: LogBackend): Promise<Stream> {
  const since = wanted.since === undefined ? undefined : Date.parse(wanted.since);
  const { own, ids } = await chosen(wanted, backend);
  const { projects, feed } = backend;
  const before = await past({ tail: wanted.tail, since }, { own, ids: ids(), backend });
  return (receiver) => {
    const output = new Output(receiver);
    for (const line of before.lines) output.add(line);
    if (wanted.mode === "snapshot") {
      output.finish();
      return () => output.cancel();
    }
    const cursors = before.next;
    const open = new Opened(before.lines);
    const follow = (): void => {
      if (projects === undefined) return;
      for (const id of ids()) cursors.set(id, cursors.get(id) ?? projects.logs.of(id).first);
      output.pull(() => newLines(projects, { cursors, open }));
    };
    const unfollow = projects?.logs.follow(follow);
    const leave = own
      ? feed.follow(({ event, data }) => {
          if (event === "log") output.add(data as LogEntry);
        })
      : undefined;
    follow();
    return () => {
      unfollow?.();
      leave?.();
      output.cancel();
    };
  };
}

type Chosen = { own: boolean; /** The ids of the services now. */ ids(): readonly string[] };

async function chosen(wanted: LogsWanted, backend: LogBackend): Promise<Chosen> {
  const { service, services, project, project_path: folder } = wanted;
  const { projects } = backend;
  const all = () => (projects?.snapshots() ?? []).map(({ id }) => id);
  const named = [...(service ? [service] : []), ...(services ?? [])];
  if (project !== undefined) {
    return { own: false, ids: () => all().filter((id) => id.startsWith(`${project}:`)) };
  }
  if (folder !== undefined) {
    const here = () => (projects?.snapshots() ?? []).filter((its) => its.directory === folder);
    return { own: false, ids: () => here().map(({ id }) => id) };
  }
  // An empty list means no service; no list at all means every service.
  if (named.length === 0 && services === undefined) return { own: true, ids: all };
  const ids = new Set<string>();
  let own = false;
  for (const name of named) {
    if (name === daemonName) own = true;
    else for (const id of await idsOf(name, backend)) ids.add(id);
  }
  return { own, ids: () => [...ids] };
}

async function idsOf(name: string, { projects, services }: LogBackend): Promise<readonly string[]> {
  const found = await projects?.find(name, undefined);
  if (found?.kind === "ids") return found.ids;
  if (services().some((its) => its.name === name)) {
    const why = `${name} was not started from here, so what it prints is in its own terminal`;
    throw new CommandError("unsupported", why);
  }
  if (found === undefined) throw noService(name, services());
  throw new CommandError("not_found", found.why);
}

type Past = { own: boolean; ids: readonly string[]; backend: LogBackend };

async function past(
  { tail, since }: { tail: number | undefined; since: number | undefined },
  { own, ids, backend: { feed, projects } }: Past,
): Promise<{ lines: OutputLine[]; next: Map<string, number> }> {
  const logs: OutputLine[][] = own ? [[...feed.lines()]] : [];
  const next = new Map<string, number>();
  if (projects !== undefined) {
    for (const id of ids) {
      const log = projects.logs.of(id);
      await log.ready;
      const lines = log.last(Math.min(tail ?? most, most)).map((line) => outputLine(id, line));
      logs.push([...lines, ...openLines(id, log)]);
      next.set(id, log.next);
    }
  }
  const young = merged(logs, since);
  return {
    lines: tail === undefined ? young : young.slice(Math.max(0, young.length - tail)),
    next,
  };
}

/** More lines of one service than memory holds. */
const most = 1_000_000;

/** Lines without an end that a follower has got, and has not got the end of. */
class Opened {
  /** By service and stream. */
  readonly #sent = new Map<string, OutputLine>();

  constructor(lines: readonly OutputLine[]) {
    for (const line of lines) if (line.open) this.#sent.set(keyOf(line), line);
  }

  /** The follower gets this line, and forgets the open one. */
  ended(line: OutputLine): void {
    this.#sent.delete(keyOf(line));
  }

  /** The lines that the follower lacks. */
  news(id: string, now: readonly OutputLine[]): OutputLine[] {
    const news = now.filter((line) => this.#sent.get(keyOf(line))?.message !== line.message);
    for (const line of news) this.#sent.set(keyOf(line), line);
    const standing = new Set(now.map(keyOf));
    for (const [key, line] of this.#sent) {
      if (line.service !== id || standing.has(key)) continue;
      this.#sent.delete(key);
      news.push({ ...line, message: "" });
    }
    return news;
  }
}

function keyOf({ service, stream }: OutputLine): string {
  return `${stream} ${service}`;
}

function newLines(
  projects: Projects,
  { cursors, open }: { cursors: Map<string, number>; open: Opened },
): OutputLine[] {
  const logs: OutputLine[][] = [];
  const last: OutputLine[] = [];
  for (const [id, from] of cursors) {
    const log = projects.logs.of(id);
    const found = log.read(from, portion);
    const first = found[0];
    if (first === undefined) {
      last.push(...open.news(id, openLines(id, log)));
      continue;
    }
    const lines = found.map((line) => outputLine(id, line));
    for (const line of lines) open.ended(line);
    if (first.number > from) lines.unshift(gap(id, { missing: first.number - from, first }));
    logs.push(lines);
    cursors.set(id, found.at(-1)!.number + 1);
  }
  return [...merged(logs), ...last];
}

function openLines(id: string, log: ServiceLog): OutputLine[] {
  return log.open.map((line) => ({ ...outputLine(id, line), open: true }));
}

function outputLine(service: string, { time, stream, text }: LogLine): OutputLine {
  return { time, service, stream, message: text };
}

function gap(id: string, { missing, first }: { missing: number; first: LogLine }): OutputLine {
  const text = `[localhostess] ${missing} lines are not shown here: they came faster than they were read; the file has them`;
  return outputLine(id, { ...first, stream: "stderr", text });
}

/** Gives a receiver as much as it can take, and the rest when it can take more. */
class Output {
  readonly #receiver: Receiver;
  #queue: OutputLine[] = [];
  #at = 0;
  #more: (() => OutputLine[]) | undefined;
  #finishing = false;
  #timer: Cancel | undefined;
  #cancelled = false;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  add(line: OutputLine): void {
    this.#queue.push(line);
    if (this.#timer === undefined) this.#timer = systemClock.after(0, () => this.#pump());
  }

  /** `more` is called whenever nothing is left, until it returns nothing. */
  pull(more: () => OutputLine[]): void {
    this.#more = more;
    if (this.#timer === undefined) this.#pump();
  }

  finish(): void {
    this.#finishing = true;
    if (this.#timer === undefined) this.#timer = systemClock.after(0, () => this.#pump());
  }

  cancel(): void {
    this.#cancelled = true;
    this.#timer?.();
    this.#timer = undefined;
  }

  #pump(): void {
    this.#timer = undefined;
    const began = performance.now();
    while (!this.#cancelled) {
      const line = this.#queue[this.#at];
      if (line === undefined) {
        this.#queue = this.#more?.() ?? [];
        this.#at = 0;
        if (this.#queue.length > 0) continue;
        this.#more = undefined;
        if (this.#finishing) this.#receiver.end();
        return;
      }
      // Neither more than the reader takes, nor all of the event loop's time.
      if (this.#receiver.pending() > enoughPending || performance.now() - began > pause) {
        this.#timer = systemClock.after(pause, () => this.#pump());
        return;
      }
      this.#at += 1;
      this.#receiver.next({ ...line, time: isoTime(line.time) });
    }
  }
}
