/** A request's head as it was read -> what a site is asked for. */
import { latin1 } from "../wire/bytes.ts";
import type { RequestFraming } from "../wire/framing.ts";
import { FIELD_STRIDE, NAME_END, NAME_START, type RequestHead } from "../wire/head.ts";
import type { Field } from "./conditions.ts";

export type SiteRequest = {
  method: string;
  /** As it was sent, one character per octet; `*` of OPTIONS. */
  path: string;
  /** With its question mark; empty where there is none. */
  query: string;
  /** The Host field; undefined where there is none. */
  host: string | undefined;
  field: Field;
};

export type ReadHead = {
  head: RequestHead;
  framing: RequestFraming;
  /** Offset of the path in the target. */
  pathStart: number;
};

export function siteRequest(
  bytes: Uint8Array,
  { head, framing, pathStart }: ReadHead,
): SiteRequest {
  const fields = new Map<string, string>();
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * FIELD_STRIDE;
    const [from, to] = [head.fields[at + NAME_START]!, head.fields[at + NAME_END]!];
    const name = latin1(bytes, from, to).toLowerCase();
    const value = head.valueOf(bytes, index);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const target = latin1(bytes, pathStart, head.targetEnd);
  const mark = target.indexOf("?");
  return {
    method: head.method(bytes),
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark),
    host: framing.hostStart === -1 ? undefined : latin1(bytes, framing.hostStart, framing.hostEnd),
    field: (name) => fields.get(name),
  };
}

/** Whether a page is what the client wants: a browser that goes there, or a program that takes anything. */
export function wantsPage({ field }: SiteRequest): boolean {
  const accept = field("accept") ?? "*/*";
  const destination = field("sec-fetch-dest");
  if (destination !== undefined && !/^(?:document|i?frame|object|embed)$/.test(destination))
    return false;
  return /text\/html|\*\/\*/.test(accept);
}
