/** Words for services, as typed -> those of the daemon that runs them, and what it says of them. */
import { ask, follow } from "../../control/found/client.ts";
import { servicesNamed, unquoted } from "../../routes/named.ts";
import type { BootEvent, SupervisedStatus } from "../../routes/project-report.ts";
import { projectFolder } from "../../supervisor/project/read-project.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

/** A row as `status --json` has it. */
export type Row = SupervisedStatus;

/** Milliseconds. What is asked of the daemon's memory is there at once. */
const soon = 5_000;

/** The socket of the daemon that runs; undefined, and told, where none does. */
export async function daemonSocket(flags: Flags, world: World): Promise<string | undefined> {
  const running = await runningDaemon(await settingsOf(flags, world));
  if (running === undefined) {
    world.err.write(
      "localhostess: no daemon runs, so no service does; localhostess up starts both\n",
    );
  }
  return running?.socket;
}

/** The services of all projects, by id. @throws an Error for a person. */
export async function rowsOf(socket: string): Promise<Row[]> {
  const { Status: rows } = await answerOf<{ Status: Partial<Row>[] }>(socket, "Status");
  // Servers that somebody runs by hand have rows too, which belong to no project.
  const supervised = rows.filter((row): row is Row => typeof row.project === "string");
  return supervised.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** @throws an Error for a person, where the daemon refuses. */
export async function answerOf<T>(
  socket: string,
  request: unknown,
  { deadline = soon }: { deadline?: number } = {},
): Promise<T> {
  const asked = await ask<T>(socket, request, { deadline });
  if (asked.kind === "failed") throw new Error(asked.why);
  const { Error: refusal } = asked.value as { Error?: unknown };
  if (typeof refusal === "string") throw new Error(refusal);
  return asked.value;
}

/** How something ended that takes its time. `reasons`: sentences. */
export type Ended = { kind: "done" } | { kind: "failed"; reasons: readonly string[] };

/** Asks for something that takes its time, and hears of its steps. */
export async function carriedOut(
  socket: string,
  request: unknown,
  { hear }: { hear(event: BootEvent): void },
): Promise<Ended> {
  for await (const line of follow(socket, request)) {
    const said = JSON.parse(line) as unknown;
    if (typeof said !== "object" || said === null) return { kind: "done" };
    if ("type" in said) {
      hear(said as BootEvent);
      continue;
    }
    const { Error: refusal, error } = said as { Error?: string; error?: { message: string } };
    const reason = refusal ?? error?.message;
    return reason === undefined
      ? { kind: "done" }
      : { kind: "failed", reasons: reason.split("\n") };
  }
  return { kind: "failed", reasons: ["the daemon ended before it was done; its log may say why"] };
}

/** The folder of the project that the command was given in. */
export function folderHere(world: World): Promise<string> {
  return projectFolder(world.cwd, world.home);
}

export type Named = {
  rows: readonly Row[];
  /** The project that names without one belong to first. */
  directory: string;
};

/** Rows that the words name; without words, all of the project here. @throws an Error that says which word names none. */
export function rowsNamed(words: readonly string[], { rows, directory }: Named): Row[] {
  if (words.length === 0) {
    const here = rows.filter((row) => row.path === directory);
    if (here.length > 0) return here;
    throw new Error(
      `nothing is known of a project in ${directory}; localhostess up starts it${known(rows)}`,
    );
  }
  const named = words.flatMap((word) => rowsFor(word, { rows, directory }));
  return [...new Set(named)];
}

function rowsFor(word: string, { rows, directory }: Named): Row[] {
  const nameable = rows.map((row) => {
    const { name: id, service, project, path } = row;
    return { id, service, project, directory: path, row };
  });
  const found = servicesNamed(word, { rows: nameable, directory, show: unquoted });
  if (found.kind === "rows") return found.rows.map((its) => its.row);
  throw new Error(`${found.why}${known(rows)}`);
}

function known(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const shown = rows.slice(0, 12).map((row) => row.name);
  const left = rows.length - shown.length;
  return ` (known: ${shown.join(", ")}${left > 0 ? ` and ${left} more` : ""})`;
}

/** What a command concerns: whole projects by their name, else services by their id, as the daemon has them. */
export function wordsFor(chosen: readonly Row[], rows: readonly Row[]): string[] {
  const projects = new Map<string, Row[]>();
  for (const row of chosen) projects.set(row.project, [...(projects.get(row.project) ?? []), row]);
  return [...projects].flatMap(([project, its]) => {
    const all = rows.filter((row) => row.project === project);
    return its.length === all.length && all.length > 1 ? [project] : its.map((row) => row.name);
  });
}
