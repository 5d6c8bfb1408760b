/** `localhostess remote [add|remove|retry]` -> the other machines whose servers have names here. */
import type { SeenSight } from "../../control/commands/reports.ts";
import { ask } from "../../control/found/client.ts";
import { hostMistake, remoteNameMistake } from "../../manifest/remote-place.ts";
import type { JsonForm } from "../../routes/json-form.ts";
import { type RemoteRow, remoteStateText, remoteText } from "../../routes/remote-report.ts";
import { counted } from "../../text/counted.ts";
import { shownDuration } from "../../text/duration.ts";
import { printable } from "../../text/printable.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { type Column, tableLines } from "../shared/table.ts";
import type { World } from "../shared/world.ts";
import { sameEnding } from "./same-ending.ts";

/** Milliseconds. The daemon answers from memory. */
const soon = 5_000;
/** Milliseconds for ssh to connect and look, and between two questions whether it has. */
const longest = 12_000;
const pause = 200;
/** Characters of a sentence from ssh or the other machine. */
const longestSentence = 700;

export async function remoteList(flags: Flags, world: World): Promise<number> {
  const socket = await socketOf(flags, world);
  const { Remotes: rows } = await answerOf<{ Remotes: RemoteRow[] }>(socket, "Remotes");
  if (flags.json) {
    printJson(world, rows);
    return 0;
  }
  const { out, err } = world;
  if (rows.length === 0) {
    err.write(
      `${err.colors.dim("no other machines yet; add one with: localhostess remote add box me@box")}\n`,
    );
    return 0;
  }
  const lines = tableLines(rows, columns, { columns: out.columns(), colors: out.colors });
  for (const line of lines) out.write(`${line}\n`);
  for (const row of rows) for (const text of sentencesOf(row)) err.write(`${text}\n`);
  return 0;
}

const columns: readonly Column<RemoteRow>[] = [
  { title: "NAME", text: ({ name }) => name, paint: (_, colors) => colors.bold },
  { title: "HOST", text: ({ host }) => printable(host), cut: "end", most: 40 },
  {
    title: "STATE",
    text: ({ state }) => state,
    paint: ({ state }, colors) => (state === "up" ? colors.green : colors.yellow),
  },
  {
    title: "SERVERS",
    text: ({ services, state }) => (state === "up" ? String(services.length) : "-"),
    goes: 2,
  },
  { title: "FROM", text: ({ source }) => (source === "config" ? "config.toml" : "-"), goes: 1 },
];

/** Why it is not connected and what helps, or what cannot be reached there. */
function sentencesOf(row: RemoteRow): string[] {
  const { why, fix, retry_in: next, state, notes } = row;
  const lines = notes.map((note) => `${row.name}: ${note}`);
  if (why !== null && state !== "up") {
    const what = remoteStateText({ state, why });
    const when = next === null ? "" : `; next attempt in ${shownDuration(Math.max(1_000, next))}`;
    lines.push(`${row.name}: ${what}${when}${fix === null ? "" : `; ${fix}`}`);
  }
  return lines.map((line) => printable(line, longestSentence));
}

export async function remoteAdd(
  { name, host }: { name: string; host: string | undefined },
  flags: Flags,
  world: World,
): Promise<number> {
  const mistake = remoteNameMistake(name) ?? hostMistake(host ?? name);
  if (mistake !== undefined) throw new UsageError([mistake]);
  const socket = await socketOf(flags, world);
  await change(socket, { action: "add", name, ...(host === undefined ? {} : { host }) }, world);
  const row = await settled(socket, name);
  if (row === undefined) throw new Failure("failed", `${name} was removed meanwhile`);
  if (flags.json) printJson(world, row);
  else tell(row, world);
  const { Look } = await answerOf<{ Look: Pick<JsonForm<SeenSight>, "services"> }>(socket, {
    Look: { local: true },
  });
  const same = sameEnding(name, Look.services);
  if (same !== undefined) world.err.write(`! ${printable(same, longestSentence)}\n`);
  // The machine is kept, whether or not it can be reached now.
  return 0;
}

export async function remoteRemove(name: string, flags: Flags, world: World): Promise<number> {
  const socket = await socketOf(flags, world);
  await change(socket, { action: "remove", name }, world);
  if (flags.json) printJson(world, { name });
  else world.out.write(`removed ${printable(name)}\n`);
  return 0;
}

export async function remoteRetry(
  name: string | undefined,
  flags: Flags,
  world: World,
): Promise<number> {
  const socket = await socketOf(flags, world);
  const all = await change(socket, { action: "retry", ...(name ? { name } : {}) }, world);
  const wanted = all.filter((row) => name === undefined || row.name === name);
  const rows = await Promise.all(
    wanted.map(async (row) => (await settled(socket, row.name)) ?? row),
  );
  if (flags.json) printJson(world, rows);
  else for (const row of rows) tell(row, world);
  return rows.every(({ state }) => state === "up") ? 0 : 1;
}

function tell(row: RemoteRow, { out, err }: World): void {
  if (row.state === "up") {
    const count = counted(row.services.length, "server");
    const names = row.services.map(({ name }) => name).join(", ");
    out.write(`${remoteText(row)} is connected: ${count}${names === "" ? "" : `: ${names}`}\n`);
  } else {
    out.write(`${remoteText(row)} is not connected yet\n`);
  }
  for (const text of sentencesOf(row)) err.write(`${text}\n`);
}

/** The machine once it is known whether it can be reached; undefined: it was removed. */
async function settled(socket: string, name: string): Promise<RemoteRow | undefined> {
  const deadline = performance.now() + longest;
  for (;;) {
    const { Remotes: rows } = await answerOf<{ Remotes: RemoteRow[] }>(socket, "Remotes");
    const row = rows.find((its) => its.name === name);
    const isBusy =
      row?.state === "connecting" ||
      // Its servers are being looked for.
      (row?.state === "up" && (row.by === null || row.services.some((its) => its.socket === null)));
    if (!isBusy || performance.now() >= deadline) return row;
    await Bun.sleep(pause);
  }
}

async function socketOf(flags: Flags, world: World): Promise<string> {
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  return daemon.registration.socket;
}

/** Goes with the agent of this terminal: the daemon may have been started without one, or with one that is gone. */
async function change(
  socket: string,
  request: { action: string; name?: string; host?: string },
  world: World,
): Promise<RemoteRow[]> {
  const agent = world.env.SSH_AUTH_SOCK;
  const its = agent?.startsWith("/") === true && agent.length <= 107 ? { agent } : {};
  const { Remote: rows } = await answerOf<{ Remote: RemoteRow[] }>(socket, {
    Remote: { ...request, ...its },
  });
  return rows;
}

async function answerOf<T>(socket: string, request: unknown): Promise<T> {
  const asked = await ask<T>(socket, request, { deadline: soon });
  if (asked.kind === "failed") throw new Failure(asked.code, asked.why);
  return asked.value;
}
