/**
 * A field that says where a request went, or where its answer leads -> the value for the other side, which knows the
 * service by another name. Where both use one name, only a Location is looked at.
 */
import { Field } from "../../wire/field.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  NAME_END,
  NAME_START,
  type RequestHead,
} from "../../wire/head.ts";
import { mapCookie, mapLinks, type MapText, mapRefresh } from "./mapped-values.ts";
import { isOrigin, type Names, toldUrl, visibleDomain, visibleUrl } from "./names.ts";

/** The position of a field in `head.fields`. */
type At = number;

/** Fields by the length of their names: one number settles that most others are none of them. */
function byLength<Kind>(fields: readonly (readonly [name: string, kind: Kind])[]) {
  const longest = Math.max(...fields.map(([name]) => name.length));
  const table = new Array<readonly [name: string, kind: Kind] | undefined>(longest + 1);
  table.fill(undefined);
  for (const field of fields) table[field[0].length] = field;
  return table;
}

function found<Kind>(
  table: ReturnType<typeof byLength<Kind>>,
  head: FieldLines,
  bytes: Uint8Array,
  at: At,
): Kind | undefined {
  const length = head.fields[at + NAME_END]! - head.fields[at + NAME_START]!;
  const field = length < table.length ? table[length] : undefined;
  if (field === undefined || !head.isNamed(bytes, at / FIELD_STRIDE, field[0])) return undefined;
  return field[1];
}

/** WebDAV's COPY and MOVE name their target by a URL (RFC 4918 section 10.3); old WebSockets had an Origin by this. */
const requestFields = byLength([
  ["destination", true],
  ["sec-websocket-origin", true],
]);

/** Whether a request's field says where the request went. */
export function isToldField(head: FieldLines, bytes: Uint8Array, at: At): boolean {
  const id = head.fields[at + FIELD_ID];
  if (id !== Field.other) return id === Field.origin || id === Field.referer;
  return found(requestFields, head, bytes, at) === true;
}

/** The value of such a field for the service; undefined if it goes on as it is. */
export function toldValue(
  head: FieldLines,
  bytes: Uint8Array,
  { at, names }: { at: At; names: Names },
): string | undefined {
  return toldUrl(head.valueOf(bytes, at / FIELD_STRIDE), names);
}

/**
 * Whether the request has an Origin that goes on as it is. An answer that echoes it speaks of that page, even if the
 * page has the name that the service was told.
 */
export function keepsOrigin(head: RequestHead, bytes: Uint8Array, names: Names): boolean {
  const index = head.find(Field.origin);
  return index !== -1 && toldUrl(head.valueOf(bytes, index), names) === undefined;
}

export type AnswerKind = "url" | "refresh" | "links" | "cookie" | "origin";

const answerFields = byLength<AnswerKind>([
  ["location", "url"],
  ["content-location", "url"],
  ["refresh", "refresh"],
  ["link", "links"],
  ["set-cookie", "cookie"],
  ["access-control-allow-origin", "origin"],
]);

/** The kind of an answer's field with names in it; undefined: it has none. */
export function answerKind(head: FieldLines, bytes: Uint8Array, at: At): AnswerKind | undefined {
  return found(answerFields, head, bytes, at);
}

export type AnswerNames = {
  names: Names;
  /** The service is told another name than the client uses. */
  mapped: boolean;
  /** The request's Origin went on as it was. */
  keepsOrigin: boolean;
};

/** The value of such a field for the client; undefined if it goes on as it is. */
export function visibleValue(
  head: FieldLines,
  bytes: Uint8Array,
  { at, kind, answer }: { at: At; kind: AnswerKind; answer: AnswerNames },
): string | undefined {
  const { names } = answer;
  const value = head.valueOf(bytes, at / FIELD_STRIDE);
  const map: MapText = (url) => visibleUrl(url, names);
  switch (kind) {
    case "url":
      return map(value);
    case "refresh":
      return mapRefresh(value, map);
    case "links":
      return mapLinks(value, map);
    case "cookie":
      return mapCookie(value, (domain) => visibleDomain(domain, names));
    case "origin":
      return !answer.keepsOrigin && isOrigin(value) ? map(value) : undefined;
  }
}
