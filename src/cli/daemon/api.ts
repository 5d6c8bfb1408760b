/** `localhostess api <command> [json]` -> one command to the daemon, by hand, and its reply as JSON. */
import { follow, linesOf, type Place, talk } from "../../control/found/client.ts";
import { type Command, CommandError } from "../../control/commands/command.ts";
import { commandNamed, commands } from "../../control/commands/commands.ts";
import { endpointOf } from "../../control/found/registration.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { printJson } from "../shared/json-output.ts";
import { ensureDaemon, type Running, tellStarted } from "../shared/daemon-here.ts";
import type { World } from "../shared/world.ts";

export type ApiFlags = Flags & { http?: boolean };

type Words = { name: string | undefined; json: string | undefined };

/** Milliseconds until a reply begins. Trust stores take longest; a stream begins at once. */
const patience = 60_000;

export async function api(
  { name, json }: Words,
  { flags, world }: { flags: ApiFlags; world: World },
): Promise<number> {
  const settings = await settingsOf(flags, world);
  if (name === undefined) return list(settings.json, world);
  const command = commandOf(name);
  const input = inputOf(json);
  const { http: _, json: _j, ...passed } = flags;
  const daemon = await ensureDaemon({ flags: passed, settings, world });
  tellStarted(daemon, world);
  if (world.json !== undefined) world.json.lines = command.streams !== false;
  const stopped = Promise.withResolvers<undefined>();
  const cancel = world.onSignal(() => stopped.resolve(undefined));
  const replies = flags.http ? byHttp(command, input, daemon) : byIpc(command, input, daemon);
  let failed = false;
  try {
    for (;;) {
      const next = await Promise.race([replies.next(), stopped.promise]);
      if (next === undefined || next.done) break;
      const reply = JSON.parse(next.value) as unknown;
      failed ||= isError(reply);
      if (world.json !== undefined) noteError(reply, world.json);
      const text = JSON.stringify(reply, undefined, command.streams === false ? 2 : undefined);
      // The reader is gone: `localhostess api events | head -1`.
      if (!world.out.write(`${text}\n`)) break;
    }
  } finally {
    cancel();
    // Not awaited: the generator may wait for more bytes, and the process ends.
    void replies.return();
  }
  return failed ? 1 : 0;
}

function list(json: boolean, world: World): number {
  const { out } = world;
  if (json) {
    const all = commands.map(({ name, method, path, summary, changes, streams }) => ({
      ...{ name, method, path, summary, changes, stream: streams !== false },
    }));
    printJson(world, all);
    return 0;
  }
  const width = Math.max(...commands.map(({ name }) => name.length));
  const room = Math.max(20, (out.columns() ?? Number.POSITIVE_INFINITY) - width - 2);
  for (const { name, summary } of commands) {
    const [first, ...others] =
      room === Number.POSITIVE_INFINITY ? [summary] : wrapped(summary, room);
    out.write(`${name.padEnd(width)}  ${first}\n`);
    for (const line of others) out.write(`${" ".repeat(width)}  ${line}\n`);
  }
  return 0;
}

function wrapped(text: string, columns: number): string[] {
  return Bun.wrapAnsi(text, columns).split("\n");
}

/** `GetVersion`, `getversion` or `get-version`. @throws UsageError */
function commandOf(text: string): Command {
  const plain = (name: string) => name.toLowerCase().replaceAll("-", "");
  try {
    return commands.find(({ name }) => plain(name) === plain(text)) ?? commandNamed(text);
  } catch (error) {
    if (error instanceof CommandError) throw new UsageError([error.message]);
    throw error;
  }
}

/** @throws UsageError */
function inputOf(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UsageError([`the input is not valid JSON: ${(error as Error).message}`]);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError(['the input must be a JSON object, such as \'{"name":"api"}\'']);
  }
  return value as Record<string, unknown>;
}

/** An error of ours has been printed as it came; one in the words of locald is followed by ours. */
function noteError(reply: unknown, json: NonNullable<World["json"]>): void {
  if (typeof reply !== "object" || reply === null) return;
  if ("error" in reply) json.lines = false;
  else if ("Error" in reply && typeof reply.Error === "string") json.more.push(reply.Error);
}

function isError(reply: unknown): boolean {
  if (typeof reply !== "object" || reply === null) return false;
  // The last line of a start that has failed is in the words of locald.
  return Object.hasOwn(reply, "error") || Object.hasOwn(reply, "Error");
}

type Input = Record<string, unknown>;

function byIpc({ name }: Command, input: Input, { registration }: Running) {
  return follow(registration.socket, { [name]: input }, { deadline: patience });
}

async function* byHttp(command: Command, input: Input, { registration, credential }: Running) {
  // The probe has proved that the daemon is ours, so it may see the credential.
  const { address, port } = endpointOf(registration.url)!;
  const place: Place = { hostname: address, port };
  const body = command.method === "POST" ? JSON.stringify(input) : undefined;
  const query = new URLSearchParams(
    Object.entries(body === undefined ? input : {}).map(([key, value]): [string, string] => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const send = [
    `${command.method} ${command.path}${query.size === 0 ? "" : `?${query}`} HTTP/1.1`,
    `Host: ${registration.url.slice("http://".length)}`,
    `Authorization: Bearer ${credential}`,
    ...(body === undefined
      ? []
      : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]),
    "Connection: close",
    "",
    body ?? "",
  ].join("\r\n");
  const lines = linesOf(talk(place, { send, deadline: patience }));
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec((await lines.next()).value ?? "")?.[1]);
  // Not with `for await`, which would end the stream after the head.
  for (let line = await lines.next(); !line.done && line.value.trim() !== "";) {
    line = await lines.next();
  }
  if (command.streams === "sse" && status === 200) yield* eventsIn(lines);
  else for await (const line of lines) if (line !== "") yield line;
}

/** An event stream -> the lines that IPC has for it. */
async function* eventsIn(lines: AsyncIterable<string>) {
  let id = "";
  let event = "";
  for await (const line of lines) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) {
      yield `{"id":${JSON.stringify(id)},"event":${JSON.stringify(event)},"data":${line.slice(6)}}`;
    }
  }
}
