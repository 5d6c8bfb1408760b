/** A project to start -> its services, ready in the background; or the reason and the last lines of the others. */
import { systemClock } from "../../system/clock.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import type { World } from "../shared/world.ts";
import { carriedOut, type Ended, type Row, rowsOf } from "./asking.ts";
import { follower } from "./logs.ts";
import { tellPending } from "./pending-note.ts";
import { progress } from "./progress.ts";
import { tellReasons } from "./reasons.ts";
import { nameWithin } from "./short-name.ts";
import type { Upping } from "./upping.ts";

/** Lines that are printed of a service that is not ready. */
const lastLines = 20;

export type BackgroundOptions = {
  /** False: return once the start has begun. */
  wait: boolean;
  /** Milliseconds; undefined: without a limit. */
  patience: number | undefined;
};

export async function upInBackground(
  upping: Upping,
  { wait, patience }: BackgroundOptions,
): Promise<number> {
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
        if (!wait) begun.resolve("begun");
      }
      steps.hear(event);
    },
  });
  try {
    const ended = await Promise.race([carried, interrupted.promise, late.promise, begun.promise]);
    steps.end();
    if (ended === "interrupted") {
      world.err.write(
        "localhostess: the start continues in the background; stop it with: localhostess stop\n",
      );
      return 1;
    }
    if (ended === "begun") return 0;
    const result: Ended =
      ended === "late"
        ? { kind: "failed", reasons: [`not ready within ${shownDuration(patience!)}`] }
        : ended;
    return await report(result, { ...upping, concerned });
  } finally {
    cancelSignal();
    cancelLate();
    steps.end();
  }
}

/** Prints the URL of each ready service on stdout, and the last lines of the others on stderr. */
async function report(
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
    const where = row.url ?? (row.type === "process" ? `(PORT=${row.port})` : "(a worker)");
    out.write(`${out.colors.bold(name(row.name).padEnd(width))}  ${out.colors.cyan(where)}\n`);
  }
  if (ended.kind === "done") {
    if (concerned.size === 0) {
      const text = `${project.name}: nothing to start; lazy services start with their first request`;
      err.write(`${err.colors.dim(text)}\n`);
    }
    return 0;
  }
  tellReasons(ended.reasons, err);
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
  err.write(`${err.colors.dim(`last lines of ${row.name}:`)}\n`);
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
    // The reason has been reported; the lines only add to it.
  }
  return lines.slice(-lastLines);
}
