/** The beginning of a connection to PostgreSQL: our first packet -> bytes, and bytes -> its first answer. Pure. */
import { encode } from "./bytes.ts";
import { bad, more, type Parsed } from "./parsed.ts";
import type { StoreQuestion, StoreState } from "./store-answer.ts";

/** 3.0; PostgreSQL's manual, "Message Formats", StartupMessage. */
const protocolVersion = 196_608;

/** Bytes of a message before a login that libpq takes for one at all. */
const longest = 30_000;

const ERROR = 0x45;
const NOTICE = 0x4e;
const AUTHENTICATION = 0x52;
const NEGOTIATE = 0x76;

/** cannot_connect_now: the server starts, stops or recovers. Manual, appendix A. */
const cannotConnectNow = "57P03";

export type StartAnswer =
  /** The server asks for a login, or needs none: it takes connections. `method`: 0 is none, 10 is SASL. */
  { kind: "authentication"; method: number } | { kind: "error"; code: string; message: string };

/** `parameters`: `user` at least. Neither a name nor a value may hold a NUL. */
export function startupPacket(parameters: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  const words = encode(`${pairs.join("")}\0`);
  const packet = new Uint8Array(8 + words.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, packet.length);
  view.setUint32(4, protocolVersion);
  packet.set(words, 8);
  return packet;
}

/** The first message that decides: notices, and a word about versions, may stand in front of it. */
export function readStartAnswer(bytes: Uint8Array): Parsed<StartAnswer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at]!;
    if (![ERROR, NOTICE, AUTHENTICATION, NEGOTIATE].includes(type)) {
      return bad(502, "its answer is not PostgreSQL's");
    }
    if (bytes.length < at + 5) return more;
    const length = view.getUint32(at + 1);
    // A server that could not make a process for the connection says so as protocol 2 had it: a text, and a NUL.
    if (type === ERROR && length > longest) return readOldError(bytes, at + 1);
    if (length < 4 || length > longest) return bad(502, "its answer is not PostgreSQL's");
    const end = at + 1 + length;
    if (bytes.length < end) return more;
    if (type === AUTHENTICATION) {
      if (length < 8) return bad(502, "its answer is not PostgreSQL's");
      const value = { kind: "authentication", method: view.getUint32(at + 5) } as const;
      return { kind: "done", value, end };
    }
    if (type === ERROR) {
      const fields = errorFields(bytes.subarray(at + 5, end));
      const { C: code = "", M: message = "an error without a message" } = fields;
      return { kind: "done", value: { kind: "error", code, message }, end };
    }
    at = end;
  }
  return more;
}

function readOldError(bytes: Uint8Array, start: number): Parsed<StartAnswer> {
  const end = bytes.indexOf(0, start);
  if (end === -1) {
    return bytes.length - start > longest ? bad(502, "its answer is not PostgreSQL's") : more;
  }
  const message = text(bytes.subarray(start, end)).trim();
  return { kind: "done", value: { kind: "error", code: "", message }, end: end + 1 };
}

/** The language of the server decides its encoding: bytes that are not UTF-8 become U+FFFD. */
function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Letter of a field -> its text; the first one where there are two. Manual, "Error and Notice Message Fields". */
export function errorFields(body: Uint8Array): Readonly<Partial<Record<string, string>>> {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at);
    if (end === -1) break;
    fields[String.fromCharCode(body[at]!)] ??= text(body.subarray(at + 1, end));
    at = end + 1;
  }
  return fields;
}

/** Whether a server takes connections, as pg_isready has it: any other error comes from one that does. */
export function stateOf(answer: StartAnswer): StoreState {
  if (answer.kind === "error" && (answer.code === cannotConnectNow || answer.code === "")) {
    return { kind: "not-yet", why: answer.message };
  }
  return { kind: "serves" };
}

/** Asked without a password: that it is asked for is the answer. */
export const postgresQuestion: StoreQuestion = {
  hello: startupPacket({ user: "postgres", database: "postgres" }),
  answer(bytes) {
    const read = readStartAnswer(bytes);
    return read.kind === "done" ? { ...read, value: stateOf(read.value) } : read;
  },
};
