/** A daemon's services before and after a restart of the daemon -> a sentence on whether they have gone on. */
import { ask } from "../../control/found/client.ts";
import type { StatusRow } from "../../routes/project-report.ts";
import { counted } from "../../text/counted.ts";

/** Pids of the services of projects, by their ids. */
export type RunningServices = ReadonlyMap<string, number>;

/** Milliseconds for an answer, without which nothing is said. */
const patience = 2000;

/** None where the daemon does not answer. */
export async function runningServices(socket: string): Promise<RunningServices> {
  const asked = await ask<{ Status?: readonly StatusRow[] } | null>(socket, "Status", {
    deadline: patience,
  });
  const rows = asked.kind === "reply" ? (asked.value?.Status ?? []) : [];
  return new Map(
    rows.flatMap((row) =>
      "project" in row && row.pid !== null ? [[row.name, row.pid] as const] : [],
    ),
  );
}

/** Undefined where none ran. */
export function fateOf(before: RunningServices, after: RunningServices): string | undefined {
  if (before.size === 0) return undefined;
  const on = [...before].filter(([name, pid]) => after.get(name) === pid).length;
  if (on === before.size) {
    return on === 1 ? "its service goes on" : `all ${on} services go on`;
  }
  const rest = counted(before.size - on, "service");
  const others = before.size - on === 1 ? "is started again" : "are started again";
  return on === 0
    ? `${rest} ${others}`
    : `${counted(on, "service")} ${on === 1 ? "goes" : "go"} on; ${rest} ${others}`;
}
