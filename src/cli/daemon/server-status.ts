/** `localhostess server status` -> whether the daemon runs, what the probe says, and what to do. */
import type { Found } from "../../control/found/connect.ts";
import { printable } from "../../text/printable.ts";
import { originOf } from "../../routes/service-row.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import { type Words, wordsFor } from "../shared/daemon-answers.ts";
import { printJson } from "../shared/json-output.ts";
import { findRunning } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

export type ServerStatus = {
  running: boolean;
  /** The result of the probe; `absent`: no record, `unproved`: no credential to verify it with. */
  probe: Found["kind"];
  /** Null where the daemon is running. */
  why: string | null;
  fix: string | null;
  state_directory: string;
  log: string;
  /** Null without a record; unless the daemon is running, these values are the record's. */
  pid: number | null;
  port: number | null;
  /** The URL of the front page. */
  url: string | null;
  /** The URL of the API. */
  api: string | null;
  socket: string | null;
  version: string | null;
  protocol: string | null;
  started_at: string | null;
};

export async function serverStatus(flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const found = await findRunning(settings, { world, bySocket: false });
  const status = statusOf(found, settings);
  if (settings.json) printJson(world, status);
  else tell(status, { words: wordsFor(found, settings), found, world });
  return status.running ? 0 : 1;
}

export function statusOf(found: Found, settings: Settings): ServerStatus {
  const { stateDirectory, log } = settings;
  const words = wordsFor(found, settings);
  const { registration: its } = found;
  return {
    running: found.kind === "healthy",
    probe: found.kind,
    why: words?.why ?? null,
    fix: words?.fix.command ?? null,
    state_directory: stateDirectory,
    log,
    pid: its?.pid ?? null,
    port: its?.port ?? null,
    url: its ? originOf("localhost", { scheme: "http", port: its.httpPort ?? its.port }) : null,
    api: its?.url ?? null,
    socket: its?.socket ?? null,
    version: its?.version ?? null,
    protocol: its?.protocol ?? null,
    started_at: its ? new Date(its.startedAt).toISOString() : null,
  };
}

function tell(
  status: ServerStatus,
  { words, found, world: { out } }: { words: Words | undefined; found: Found; world: World },
): void {
  const { colors } = out;
  const rows: [string, string | number | null][] = [];
  if (words === undefined) {
    out.write(`${colors.green("running")}\n`);
    // The Swedish format is that of ISO 8601, in local time.
    const since = new Date(status.started_at!).toLocaleString("sv");
    rows.push(["pid", status.pid], ["version", status.version], ["since", since]);
    rows.push(["url", status.url], ["port", status.port], ["api", status.api]);
    if (found.kind === "healthy" && found.by === "port") {
      rows.push(["socket", `${status.socket} is not there, so that most commands cannot reach it`]);
    }
  } else {
    const state = words?.alive ? "running, and cannot be used" : "not running";
    out.write(`${colors.red(state)}: ${printable(status.why ?? "", 500)}\n`);
    if (words !== undefined) rows.push([words.fix.for, words.fix.command]);
  }
  rows.push(["state", status.state_directory]);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) {
    out.write(`  ${colors.dim(name.padEnd(width))}  ${value}\n`);
  }
}
