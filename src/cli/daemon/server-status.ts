/** `localhostess server status` -> whether the daemon runs, what the probe says, and what to do. */
import type { Found } from "../../control/found/connect.ts";
import { printable } from "../../text/printable.ts";
import { originOf } from "../../routes/service-row.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
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
  const status = statusOf(await findRunning(settings), settings);
  if (settings.json) printJson(world, status);
  else tell(status, world);
  return status.running ? 0 : 1;
}

const start = "localhostess server start --detach";
const restart = "localhostess server restart";

export function statusOf(found: Found, { stateDirectory, log }: Settings): ServerStatus {
  const { registration: its } = found;
  const [why, fix] = verdict(found);
  return {
    running: found.kind === "healthy",
    probe: found.kind,
    why,
    fix,
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

function verdict(found: Found): [why: string | null, fix: string | null] {
  switch (found.kind) {
    case "healthy":
      return [null, null];
    case "absent":
      return [found.why, start];
    case "dead":
      return [`the recorded daemon (pid ${found.registration.pid}) is gone: ${found.why}`, start];
    case "stranger":
      return [`another program has the recorded address: ${found.why}`, start];
    case "unproved":
      return [`the recorded daemon cannot be verified: ${found.why}`, start];
    case "other-protocol":
      return [
        `it has another version, ${found.handshake.version}, and speaks ${found.protocol}`,
        restart,
      ];
  }
}

function tell(status: ServerStatus, { out }: World): void {
  const { colors } = out;
  const rows: [string, string | number | null][] = [];
  if (status.running) {
    out.write(`${colors.green("running")}\n`);
    // The Swedish format is that of ISO 8601, in local time.
    const since = new Date(status.started_at!).toLocaleString("sv");
    rows.push(["pid", status.pid], ["version", status.version], ["since", since]);
    rows.push(["url", status.url], ["port", status.port], ["api", status.api]);
  } else {
    out.write(`${colors.red("not running")}: ${printable(status.why ?? "", 500)}\n`);
    rows.push(["to start it", status.fix]);
  }
  rows.push(["state", status.state_directory]);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) {
    out.write(`  ${colors.dim(name.padEnd(width))}  ${value}\n`);
  }
}
