/** A project to start -> its services, ready in the background; or the reason and the last lines of the others. */
import { systemClock } from "../../system/clock.ts";
import { shownDuration } from "../../text/duration.ts";
import { listed } from "../../text/list.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { printJson } from "../shared/json-output.ts";
import { tellLastLines } from "../shared/last-lines.ts";
import { carriedOut, type Ended, type Row, rowsOf } from "./asking.ts";
import { openMark } from "../../routes/standing-lines.ts";
import { tellElsewhere } from "./elsewhere.ts";
import { follower } from "./logs.ts";
import { tellPending } from "./pending-note.ts";
import { progress } from "./progress.ts";
import { tellReasons } from "./reasons.ts";
import { nameWithin } from "./short-name.ts";
import { tellUnresolvedOf } from "./unresolved.ts";
import type { Upping } from "./upping.ts";

/** Lines that are printed of a service that is not ready. */
const lastLines = 20;

export type BackgroundOptions = {
  /** False: return once the start has begun. */
  wait: boolean;
  /** Milliseconds; undefined: without a limit. */
  patience: number | undefined;
  /** Prints the rows of what was started, as `status --json` has them. */
  json: boolean;
};

export async function upInBackground(
  upping: Upping,
  { wait, patience, json }: BackgroundOptions,
): Promise<number> {
  const { socket, request, repeats, world } = upping;
  const steps = progress({ screen: world.err, clock: systemClock, nameOf: nameWithin });
  const interrupted = Promise.withResolvers<"interrupted">();
  const cancelSignal = world.onSignal(() => interrupted.resolve("interrupted"));
  const late = Promise.withResolvers<"late">();
  const cancelLate =
    patience === undefined ? () => {} : systemClock.after(patience, () => late.resolve("late"));
  const concerned = new Set<string>();
  const begun = Promise.withResolvers<"begun">();
  const carried = carriedOut(socket, request, {
    repeats,
    hear(event) {
      if (event.type === "StepStarted" && event.data.id !== "config") {
        concerned.add(event.data.id);
        if (!wait) begun.resolve("begun");
      }
      steps.hear(event);
    },
  });
  try {
    const ended = await Promise.race([carried, interrupted.promise, late.promise, begun.promise]);
    steps.end();
    if (ended === "interrupted") {
      const name = [...concerned][0]?.split(":")[0];
      if (world.json !== undefined) world.json.code = "interrupted";
      world.err.write(
        `localhostess: the start continues in the background; stop it with: ${stopCommand({ ...upping, name })}\n`,
      );
      return 1;
    }
    if (ended === "begun") {
      if (json) await printBegun(upping);
      return 0;
    }
    return await report(ended, { ...upping, concerned, json, patience });
  } finally {
    cancelSignal();
    cancelLate();
    steps.end();
  }
}

/**
 * Ends the services that were named, or else the project, from whatever folder. `name`: the project's, as the daemon
 * knows it.
 */
export function stopCommand({
  project,
  services,
  name = project.name,
}: Pick<Upping, "project" | "services"> & { name?: string | undefined }): string {
  const words =
    services.length === 0
      ? [`${project.directory}/`]
      : services.map((service) => `${name}:${service}`);
  return `localhostess stop ${words.map(pastedWord).join(" ")}`;
}

type Concerning = { concerned: ReadonlySet<string> };

/** The services of the project that somebody has started: the steps of this start have not all been reported. */
async function printBegun({ socket, project, world }: Upping): Promise<void> {
  const rows = (await rowsOf(socket)).filter(
    (row) => row.path === project.directory && row.state !== "stopped",
  );
  printJson(world, rows);
}

/** Prints the URL of each ready service on stdout, and the last lines of the others on stderr. */
async function report(
  ended: Ended | "late",
  {
    socket,
    world,
    project,
    concerned,
    json,
    patience,
  }: Upping & Concerning & { json: boolean; patience: number | undefined },
): Promise<number> {
  const { out, err } = world;
  const known = await rowsOf(socket).catch(() => []);
  tellPending(known, world);
  const rows = known.filter((row) => concerned.has(row.name));
  const notReady = rows.filter((row) => !row.ready && row.state !== "completed");
  const width = Math.max(0, ...rows.map((row) => nameWithin(row.name).length));
  // Without a row the reasons are all that there is to say, as an error.
  const isAnswer = rows.length > 0 || (ended !== "late" && ended.kind === "done");
  if (json && isAnswer) printJson(world, rows);
  if (world.json !== undefined) world.json.code = "not_ready";
  const tellWhere = (its: string, where: string): void => {
    out.write(`${out.colors.bold(its.padEnd(width))}  ${out.colors.cyan(where)}\n`);
  };
  for (const row of json ? [] : rows.filter((its) => its.ready || its.state === "completed")) {
    const { of, url } = row.instance ?? { of: "", url: null };
    const isFirst = rows.find((its) => its.ready && its.instance?.of === of) === row;
    if (url !== null && isFirst) tellWhere(of, url);
    tellWhere(nameWithin(row.name), row.url ?? remarkOn(row));
  }
  await tellElsewhere(rows, world);
  await tellUnresolvedOf(rows, { socket, project, known, world });
  if (ended === "late") {
    const names = listed(
      notReady.map((row) => row.name),
      { most: 5 },
    );
    const what = `not ready within ${shownDuration(patience!)}`;
    tellReasons([names === "" ? what : `${what}: ${names}`], err);
  } else if (ended.kind === "done") {
    if (concerned.size === 0) {
      const text = `${project.name}: nothing to start: its services are lazy, disabled, in a profile, or have a schedule`;
      err.write(`${err.colors.dim(text)}\n`);
    }
    return 0;
  } else tellReasons(ended.reasons, err);
  const reasons = ended === "late" ? [] : ended.reasons;
  for (const row of notReady) {
    // Lines of a service that did not start at all are those of an earlier process.
    const hasRun = !reasons.some((its) => its.startsWith(`${row.name} did not start: `));
    if (row.state === "stopped" || !hasRun) continue;
    // A managed service says its reason in its output, too.
    const isTold = (line: string) => reasons.some((its) => its === `${row.name} failed: ${line}`);
    const lines = (await latestOf(row, socket)).filter((line) => !isTold(line));
    tellLastLines(row.name, { lines, world });
  }
  return 1;
}

async function latestOf(row: Row, socket: string): Promise<readonly string[]> {
  const kept = row.exit?.last_lines ?? [];
  if (kept.length > 0) return kept.slice(-lastLines);
  const lines: string[] = [];
  try {
    const request = { Logs: { service: row.name, tail: lastLines } };
    for await (const { message, open } of follower(socket, request)) {
      lines.push(open ? `${message}${openMark}` : message);
    }
  } catch {
    // The reason has been reported; the lines only add to it.
  }
  return lines.slice(-lastLines);
}

/** In the place of an address. */
function remarkOn({ type, port }: Row): string {
  if (type === "task") return "(a task, completed)";
  if (type === "process") return `(PORT=${port})`;
  return type === "worker" || port === null ? `(a ${type})` : `(${type} on port ${port})`;
}
