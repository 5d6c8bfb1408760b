/** `localhostess logs [service...]` -> the output of services, ordered by time, and new output. */
import { follow as talkLines } from "../../control/found/client.ts";
import type { ApiError, ErrorCode } from "../../control/found/protocol.ts";
import { isoTime, type JsonForm } from "../../routes/json-form.ts";
import type { OutputLine } from "../../routes/project-report.ts";
import { openMark, StandingLines } from "../../routes/standing-lines.ts";
import { readDuration } from "../../text/duration.ts";
import { shown } from "../../text/shown.ts";
import { tellPending } from "./pending-note.ts";
import { Failure, type FailureCode } from "../shared/failure.ts";
import { printJsonLine } from "../shared/json-output.ts";
import { type Flags, UsageError } from "../shared/settings.ts";
import { daemonSocket, knownOf } from "./asking.ts";
import { noNamesWithAll, rowsFor, rowsShown } from "./here.ts";
import { ResumedLines } from "./resumed-lines.ts";
import { nameAmong } from "./short-name.ts";
import { noColors, type Screen, type World } from "../shared/world.ts";

/** A line as the daemon sends it. */
type Line = JsonForm<OutputLine>;

export type LogsFlags = Flags & {
  all?: boolean;
  follow?: boolean;
  tail?: string;
  since?: string;
  /** `false`: `--no-color`. */
  color?: boolean;
};

/** The request for logs, as the daemon expects it. */
export type Wanted = {
  /** Ids of services; or all of a project, by its folder. */
  services?: readonly string[];
  project_path?: string;
  mode: "snapshot" | "follow";
  tail?: number;
  /** ISO 8601. */
  since?: string;
};

export async function logs(
  words: readonly string[],
  flags: LogsFlags,
  world: World,
): Promise<number> {
  if (world.json !== undefined) world.json.lines = true;
  const { tail, since } = boundsOf(flags);
  noNamesWithAll(words, flags.all ?? false);
  const socket = await daemonSocket(flags, world);
  if (socket === undefined) return 1;
  const { rows, servers } = await knownOf(socket);
  tellPending(rows, world);
  const { all } = flags;
  const shown = words.length > 0 || all ? undefined : await rowsShown({ rows, world });
  // Nothing to print is an error here: `-f` would wait for lines that never come.
  const chosen =
    shown !== undefined && shown.rows.length > 0
      ? shown.rows
      : await rowsFor(words, { rows, servers, all, world });
  const wanted: Wanted = {
    services: chosen.map((row) => row.name),
    mode: flags.follow ? "follow" : "snapshot",
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
  };
  const out = flags.color === false ? { ...world.out, colors: noColors } : world.out;
  const stopped = Promise.withResolvers<void>();
  const cancel = world.onSignal(() => stopped.resolve());
  const following = follow({
    socket,
    world: { ...world, out },
    wanted,
    nameOf: nameAmong(chosen),
    json: flags.json ?? false,
  });
  try {
    const ended = await Promise.race([following.ended, stopped.promise]);
    if (ended?.why === undefined) return 0;
    if (world.json !== undefined) world.json.code = ended.code;
    world.err.write(`localhostess: ${ended.why}\n`);
    return 1;
  } finally {
    cancel();
    following.stop();
  }
}

/** @throws UsageError with every error. */
function boundsOf({ tail, since }: LogsFlags): { tail?: number; since?: string } {
  const mistakes: string[] = [];
  const count = tail === undefined ? undefined : Number(tail);
  if (tail !== undefined && !/^\d{1,9}$/.test(tail)) {
    mistakes.push(`--tail: expected a number of lines such as 100, got ${shown(tail)}`);
  }
  const from = since === undefined ? undefined : timeOf(since);
  if (since !== undefined && from === undefined) {
    mistakes.push(
      `--since: expected a duration such as 5m or 1h30m, or a date such as 2026-05-04T12:00, got ${shown(since)}`,
    );
  }
  if (mistakes.length > 0) throw new UsageError(mistakes);
  return {
    ...(count === undefined ? {} : { tail: count }),
    ...(from === undefined ? {} : { since: from }),
  };
}

function timeOf(text: string): string | undefined {
  // Not used for a timer, so that its limit does not apply.
  const ago = readDuration(text, { longest: Number.MAX_SAFE_INTEGER });
  // Longer ago than there are dates: every line is younger.
  if (ago.kind === "milliseconds") return isoTime(Date.now() - ago.value) ?? isoTime(0)!;
  const date = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return isoTime(date) ?? undefined;
}

/** The lines of a log request, as the daemon sends them. @throws an Error for a person. */
export async function* follower(
  socket: string,
  request: unknown,
): AsyncGenerator<Line, void, undefined> {
  for await (const text of talkLines(socket, request)) {
    const line = JSON.parse(text) as Line | { error?: ApiError<ErrorCode>; Error?: string };
    if (typeof line !== "object" || line === null) return;
    if ("message" in line) yield line;
    else {
      if ("error" in line && line.error) throw new Failure(line.error.code, line.error.message);
      if ("Error" in line && line.Error) throw new Failure("failed", line.Error);
    }
  }
}

export type Following = {
  /** `why`: the stream ended by itself. */
  ended: Promise<{ why?: string; code?: FailureCode }>;
  /** Twice is harmless. */
  stop(): void;
};

export type FollowOptions = {
  socket: string;
  world: World;
  wanted: Wanted;
  nameOf: (id: string) => string;
  json?: boolean;
};

export function follow({ socket, world, wanted, nameOf, json = false }: FollowOptions): Following {
  let lines = follower(socket, { Logs: wanted });
  let isStopped = false;
  const resumed = new ResumedLines();
  const words = { nameOf, names: wanted.services ?? [], live: wanted.mode === "follow" };
  const { write, end } = json
    ? { write: (line: Line) => printJsonLine(world, line), end() {} }
    : lineWriter(world.out, words);
  const run = async (): Promise<{ why?: string; code?: FailureCode }> => {
    try {
      for (;;) {
        // The reader is gone: `localhostess logs | head`.
        for await (const line of lines) if (resumed.isNew(line) && !write(line)) return {};
        if (wanted.mode !== "follow" || isStopped) break;
        // A daemon that was replaced has ended the stream, and the next one has the socket.
        const since = await resumed.next(socket);
        if (since === undefined || isStopped) break;
        const { tail: _, ...rest } = wanted;
        lines = follower(socket, { Logs: { ...rest, since } });
      }
    } catch (error) {
      const code = error instanceof Failure ? error.code : "failed";
      return { why: (error as Error).message, code };
    }
    end();
    return wanted.mode === "follow" ? { why: "the daemon exited", code: "not_running" } : {};
  };
  const stop = (): void => {
    isStopped = true;
    end();
    void lines.return();
  };
  return { ended: run(), stop };
}

/** Colors that differ at a glance, and are readable on light and dark screens; red is for errors. */
const palette = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

type LineWriter = {
  /** False once the reader is gone. */
  write(line: Line): boolean;
  /** No line follows. Twice is harmless. */
  end(): void;
};

/**
 * A line without an end is the last on a terminal that is followed, and the next one takes its place. Elsewhere it is
 * written once, with a mark, and again when it is complete.
 */
function lineWriter(
  screen: Screen,
  {
    nameOf,
    names,
    live,
  }: { nameOf: (id: string) => string; names: readonly string[]; live: boolean },
): LineWriter {
  const colored = screen.colors !== noColors && screen.colors.bold("x") !== "x";
  const painted = new Map<string, number>();
  let width = Math.max(0, ...names.map((id) => nameOf(id).length));
  const standing = new StandingLines<Line>();
  /** The service and stream whose open line was written with the mark. */
  const marked = new Set<string>();
  let isDrawn = false;

  const wordsFor = ({ service, message, time }: Line): string => {
    const name = nameOf(service);
    width = Math.max(width, name.length);
    if (!painted.has(service)) painted.set(service, palette[painted.size % palette.length]!);
    const clock = new Date(time).toTimeString().slice(0, 8);
    const label = `${clock} ${name.padEnd(width)} |`;
    const text = tame(message, colored);
    return colored ? `\x1b[${painted.get(service)}m${label}\x1b[39m ${text}` : `${label} ${text}`;
  };

  const drawn = (): string => {
    const [last] = standing.all().slice(-1);
    const columns = screen.columns();
    isDrawn = last !== undefined && columns !== undefined;
    return isDrawn ? Bun.sliceAnsi(wordsFor(last!), 0, Math.max(1, columns! - 1), "…") : "";
  };

  return {
    write(line) {
      const key = `${line.stream} ${line.service}`;
      const complete = standing.hear(line);
      if (live && screen.columns() !== undefined) {
        const erase = isDrawn ? "\r\x1b[K" : "";
        return screen.write(`${erase}${complete ? `${wordsFor(line)}\n` : ""}${drawn()}`);
      }
      if (complete) marked.delete(key);
      else if (line.message === "" || marked.has(key)) return true;
      else marked.add(key);
      return screen.write(`${wordsFor(line)}${complete ? "" : openMark}\n`);
    },
    end() {
      if (isDrawn) screen.write("\n");
      isDrawn = false;
    },
  };
}

/** All escapes and controls; of these only colors are kept, because others would overwrite other services' lines. */
const escapes = new RegExp(
  [
    String.raw`\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?`,
    String.raw`\x1b[PX^_][^\x1b]*(?:\x1b\\)?`,
    String.raw`\x1b\[[0-?]*[ -/]*[@-~]`,
    String.raw`\x1b[ -/]*[0-~]`,
    String.raw`[\x00-\x08\x0b-\x1f\x7f-\x9f]`,
  ].join("|"),
  "g",
);

/** A line of a service, with no escape left that does more than color the line itself. */
export function tame(message: string, colored: boolean): string {
  let styled = false;
  const text = message.replace(escapes, (found) => {
    if (!colored || !/^\x1b\[[\d;:]*m$/.test(found)) return "";
    styled = true;
    return found;
  });
  return styled ? `${text}\x1b[0m` : text;
}
