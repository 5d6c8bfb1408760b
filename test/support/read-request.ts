/** Pieces of bytes into what the parsers say of the request in them, without a socket. */
import { type Decision, decide } from "../../src/routes/decide.ts";
import { routeTable } from "../../src/routes/table.ts";
import { readAuthority } from "../../src/wire/authority.ts";
import { BodyReader } from "../../src/wire/body.ts";
import { RequestFraming } from "../../src/wire/framing.ts";
import {
  type FieldLines,
  FIELD_STRIDE,
  NAME_END,
  NAME_START,
  RequestHead,
} from "../../src/wire/head.ts";
import { sniff } from "../../src/wire/sniff.ts";
import { readTarget, type Target } from "../../src/wire/target.ts";
import { latin1Text } from "./latin1.ts";
import { testService } from "./test-proxy.ts";

export type ReadRequest = {
  method: string;
  target: string;
  form: Target["form"];
  fields: [name: string, value: string][];
  bodyLength: number;
  keepAlive: boolean;
  body: string;
  trailers: [name: string, value: string][];
  decision: Decision["kind"];
  /** Octets, from the first, that belong to it. */
  end: number;
};

export type Outcome =
  | ({ kind: "done" } & ReadRequest)
  | { kind: "more" }
  | { kind: "bad"; status: number }
  /** Not HTTP: closed unread. */
  | { kind: "closed" };

const table = routeTable([testService("api", { port: 3000 })]);

function fieldsOf(lines: FieldLines, bytes: Uint8Array): [string, string][] {
  return Array.from({ length: lines.fieldCount }, (_, index): [string, string] => {
    const at = index * FIELD_STRIDE;
    const name = bytes.subarray(lines.fields[at + NAME_START], lines.fields[at + NAME_END]);
    return [latin1Text(name), lines.valueOf(bytes, index)];
  });
}

/** Parsers that serve one request after another, as those of a connection do. */
export class RequestReader {
  #head = new RequestHead();
  #framing = new RequestFraming();
  #body = new BodyReader();

  /** `bytes` arrive as far as each of `arrivals`, ascending; the last is their end. */
  read(bytes: Uint8Array, arrivals: readonly number[]): Outcome {
    if (bytes.length > 0 && sniff(bytes[0]!) === "tls") return { kind: "closed" };
    const head = this.#head;
    head.begin(0);
    let next = 0;
    let headEnd = -1;
    while (headEnd === -1) {
      if (next === arrivals.length) return { kind: "more" };
      const outcome = head.read(bytes.subarray(0, arrivals[next++]));
      if (outcome.kind === "bad") return { kind: "bad", status: outcome.status };
      if (outcome.kind === "done") headEnd = outcome.end;
    }
    const framing = this.#framing;
    const wrong = framing.read(head, bytes);
    if (wrong !== undefined) return { kind: "bad", status: wrong.status };
    const target = readTarget(head, bytes, { connect: framing.connect, secured: false });
    if ("kind" in target) return { kind: "bad", status: target.status };
    const direct = target.form === "origin" || target.form === "asterisk";
    const authority = direct
      ? readAuthority(bytes, framing.hostStart, framing.hostEnd)
      : target.authority;
    if (framing.hostStart === -1 && direct) return { kind: "bad", status: 400 };
    if (authority === undefined) return { kind: "bad", status: 400 };
    const mode = direct ? "direct" : target.form === "absolute" ? "forward" : "connect";
    const decision = decide({ ...authority, mode }, table, [9090]);

    const reader = this.#body;
    reader.begin(framing.bodyLength);
    let body = "";
    let from = headEnd;
    let piece = arrivals[next - 1]!;
    while (!reader.done) {
      if (piece > from) {
        const arrived = bytes.subarray(from, piece);
        const end = reader.read(arrived, 0, (start, stop) => {
          body += latin1Text(arrived.subarray(start, stop));
        });
        if (reader.bad !== undefined) return { kind: "bad", status: reader.bad.status };
        if (end < 0 || end > arrived.length || reader.forwardEnd > arrived.length) {
          throw new Error(`an end outside of what was read: ${end}, ${reader.forwardEnd}`);
        }
        from += end;
        continue;
      }
      if (next === arrivals.length) return { kind: "more" };
      piece = arrivals[next++]!;
    }
    return {
      kind: "done",
      method: head.method(bytes),
      target: head.target(bytes),
      form: target.form,
      fields: fieldsOf(head, bytes),
      bodyLength: framing.bodyLength,
      keepAlive: framing.keepAlive,
      body,
      trailers: reader.trailer ? fieldsOf(reader.trailer.fields, reader.trailer.bytes) : [],
      decision: decision.kind,
      end: from,
    };
  }
}

/** Arrivals of `bytes` in one piece. */
export function whole(bytes: Uint8Array): number[] {
  return [bytes.length];
}

/** Arrivals of `bytes` in pieces of `size`. */
export function inPieces(bytes: Uint8Array, size: number): number[] {
  const arrivals: number[] = [];
  for (let at = size; at < bytes.length; at += size) arrivals.push(at);
  arrivals.push(bytes.length);
  return arrivals;
}
