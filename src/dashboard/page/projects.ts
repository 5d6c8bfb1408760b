/** The daemon's answers -> the services of projects, and the output of the one that is shown. */
import { computed, signal } from "@preact/signals";
import type { JsonForm } from "../../routes/json-form.ts";
import { type Waiting, waitingOf } from "../../routes/pending.ts";
import type { OutputLine, StatusRow, SupervisedStatus } from "../../routes/project-report.ts";
import { openMark, StandingLines } from "../../routes/standing-lines.ts";
import { ask, linesOf, tell } from "./ask.ts";

/** A line as the daemon sends it. */
type Line = JsonForm<OutputLine>;

export const projects = signal<readonly SupervisedStatus[]>([]);
/** By project. */
export const waiting = computed<readonly Waiting[]>(() =>
  waitingOf(projects.value.map((row) => ({ ...row, directory: row.path }))),
);
/** Ids of services, and folders of projects, with a command under way. */
export const busy = signal<ReadonlySet<string>>(new Set());
/** Why the last command failed. */
export const refusal = signal("");
export const lines = signal<readonly string[]>([]);

/** Milliseconds in which several events lead to one request. */
const gathering = 150;
/** Lines that are shown, and asked for. */
const shownLines = 500;

export async function readProjects(): Promise<void> {
  const rows = await ask<StatusRow[]>("/v1/status");
  if (rows === undefined) return;
  projects.value = rows
    .filter((row): row is SupervisedStatus => "project" in row)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

let asked = false;

export function readProjectsSoon(): void {
  if (asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    void readProjects();
  }, gathering);
}

export type Act = "start" | "stop" | "restart";

export async function act(row: SupervisedStatus, what: Act): Promise<void> {
  // Not `up`: changes that wait for it are accepted in a terminal, by a person who has read them.
  const path = what === "stop" ? "/v1/stop" : "/v1/restart";
  await command(row.name, { path, body: { name: row.name } });
}

export async function actOnProject(directory: string, what: "start" | "stop"): Promise<void> {
  const path = what === "stop" ? "/v1/stop" : "/v1/resume";
  await command(directory, { path, body: { project_path: directory } });
}

async function command(
  key: string,
  { path, body }: { path: string; body: unknown },
): Promise<void> {
  if (busy.value.has(key)) return;
  busy.value = new Set([...busy.value, key]);
  refusal.value = "";
  const why = await tell(path, body);
  await readProjects();
  busy.value = new Set([...busy.value].filter((other) => other !== key));
  if (why !== undefined) refusal.value = why.includes(key) ? why : `${key}: ${why}`;
}

let following: { id: string; abort: AbortController } | undefined;

/** Shows the output of a service; undefined: stop. */
export function followLogs(id: string | undefined): void {
  if (following?.id === id) return;
  following?.abort.abort();
  following = undefined;
  lines.value = [];
  if (id === undefined) return;
  const abort = new AbortController();
  following = { id, abort };
  void read(id, abort.signal);
}

async function read(id: string, signal: AbortSignal): Promise<void> {
  const query = new URLSearchParams({ service: id, mode: "follow", tail: String(shownLines) });
  let complete: string[] = [];
  const standing = new StandingLines<Line>();
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const draw = (): void => {
    drawing = undefined;
    const open = standing.all().map(({ message }) => `${plain(message)}${openMark}`);
    complete = complete.slice(-shownLines);
    lines.value = [...complete, ...open];
  };
  try {
    for await (const line of linesOf<Line>(`/v1/logs?${query}`, signal)) {
      if (standing.hear(line)) complete.push(plain(line.message));
      drawing ??= setTimeout(draw, gathering);
    }
  } catch {
    // The page shows something else now, or the daemon is gone, which the event stream reports.
  }
  clearTimeout(drawing);
  if (!signal.aborted) {
    draw();
    // The next visit to this address follows again.
    if (following?.id === id) following = undefined;
  }
}

const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07?|.)/g;

/** Removes colours and other control sequences for terminals. */
export function plain(text: string): string {
  return text.replace(escapes, "").replace(/[\p{Cc}]/gu, (its) => (its === "\t" ? its : ""));
}
