/** A daemon's facts into doors that a test can knock at: a backend of values, the HTTP API, requests as bytes. */
import { afterAll } from "bun:test";
import { type HttpDoor, type HttpDoorOptions, startHttp } from "../../src/control/http/http.ts";
import { type IpcDoor, ipcDoor } from "../../src/control/ipc/ipc.ts";
import { hangUps } from "../../src/system/hang-up.ts";
import { peerCredentials } from "../../src/system/peer-credentials.ts";
import { type FakeBackend, fakeBackend } from "../support/fake-backend.ts";
import { connectRaw } from "../support/raw-end.ts";
import { steadyClock } from "../support/steady-clock.ts";

export {
  api,
  counts,
  type FakeBackend,
  fakeBackend,
  launch,
  requestTo,
} from "../support/fake-backend.ts";

export const credential = `${"c0ffee".repeat(10)}1234`;
export type TestDoor = HttpDoor & { backend: FakeBackend; faults: unknown[] };

/** Ends with the test file. */
export function httpDoor(
  options: Partial<HttpDoorOptions> & { backend?: FakeBackend } = {},
): TestDoor {
  const backend = options.backend ?? fakeBackend();
  const faults: unknown[] = [];
  const door = startHttp({
    clock: steadyClock(),
    credential: () => credential,
    allowedOrigins: [],
    fault: (error) => void faults.push(error),
    ...options,
    backend,
  });
  opened.push(door);
  return Object.assign(Object.create(door) as HttpDoor, { backend, faults });
}

/** A socket for this person's processes. Nothing listens before `claim`; a fault of ours fails the test. */
export function socketDoor(path: string, backend: FakeBackend): IpcDoor {
  return ipcDoor({
    path,
    clock: steadyClock(),
    backend,
    peers: peerCredentials(process.platform),
    hasHungUp: hangUps(),
    uid: process.getuid!(),
    credential: () => credential,
    fault(error) {
      throw error;
    },
  });
}

const opened: HttpDoor[] = [];

afterAll(async () => {
  await Promise.all(opened.map((door) => door.stop()));
});

export type Got = { status: number; headers: Headers; text: string; error: string | undefined };

export type AskOptions = {
  method?: string;
  headers?: Record<string, string>;
  /** Null: none at all. */
  host?: string | null;
  /** Null: none is shown. */
  bearer?: string | null;
  body?: string | Uint8Array;
};

/** One request, byte by byte as it is said here; the whole answer. */
export async function ask(door: HttpDoor, target: string, options: AskOptions = {}): Promise<Got> {
  const { method = "GET", host = `127.0.0.1:${door.port}`, bearer = credential, body } = options;
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(bearer === null ? [] : [`Authorization: Bearer ${bearer}`]),
    ...(bytes === undefined ? [] : [`Content-Length: ${bytes.length}`]),
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  const client = await connectRaw(door.port, {
    send: bytes === undefined ? head : Buffer.concat([head, bytes]),
  });
  const text = await client.rest();
  client.close();
  return readAnswer(text);
}

export function readAnswer(text: string): Got {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const headers = new Headers(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    }),
  );
  const body = Buffer.from(text.slice(end + 4), "latin1").toString("utf8");
  let error: string | undefined;
  if (body.startsWith('{"error"'))
    error = (JSON.parse(body) as { error: { code: string } }).error.code;
  return { status: Number(first.split(" ")[1]), headers, text: body, error };
}

/**
 * One request by a socket, the whole reply. `half`: half-closes behind it; `until`: enough of a reply without an
 * end.
 */
export async function once(
  path: string,
  request: string | Uint8Array,
  { half = false, until }: { half?: boolean; until?: string } = {},
): Promise<string> {
  using client = await connectRaw({ unix: path }, { send: Buffer.from(request) });
  if (half) client.finish();
  if (until === undefined) await client.rest();
  else await client.enough((text) => text.includes(until));
  return Buffer.from(client.text, "latin1").toString("utf8");
}

/** POST with a JSON body. */
export function post(door: HttpDoor, target: string, value: unknown): Promise<Got> {
  return ask(door, target, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof value === "string" ? value : JSON.stringify(value),
  });
}
