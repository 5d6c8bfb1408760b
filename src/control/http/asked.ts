/** A request's head as it was read -> what the API asks of it. */
import { latin1 } from "../../wire/bytes.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import { FIELD_STRIDE, NAME_END, NAME_START, type RequestHead } from "../../wire/head.ts";

/** A request's head, as it was written. */
export type Asked = {
  method: string;
  /** Path and query. A target in another form is given as it stands. */
  target: string;
  /** The target without its query. */
  path: string;
  /** The query without its `?`; empty where there is none. */
  query: string;
  /** The Host field as it stands; undefined where there is none. */
  host: string | undefined;
  /** A field by its lower-case name. Several of one name are joined by ", ": RFC 9110 section 5.3. */
  header(name: string): string | undefined;
  /** Whether the process that has the client's socket is this person's; undefined where the system does not tell. */
  readonly ownClient: boolean | undefined;
};

export type ReadHead = {
  head: RequestHead;
  framing: RequestFraming;
  ownClient(): boolean | undefined;
};

export function askedIn(bytes: Uint8Array, { head, framing, ownClient }: ReadHead): Asked {
  const fields = new Map<string, string>();
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * FIELD_STRIDE;
    const name = latin1(
      bytes,
      head.fields[at + NAME_START]!,
      head.fields[at + NAME_END]!,
    ).toLowerCase();
    const value = head.valueOf(bytes, index);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const target = head.target(bytes);
  const mark = target.indexOf("?");
  return {
    method: head.method(bytes),
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark + 1),
    host: framing.hostStart === -1 ? undefined : latin1(bytes, framing.hostStart, framing.hostEnd),
    header: (name) => fields.get(name),
    get ownClient() {
      return ownClient();
    },
  };
}
