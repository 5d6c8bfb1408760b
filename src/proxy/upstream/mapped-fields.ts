/**
 * A field that says where a request went, or where its answer leads -> the value for the other side, which knows the
 * service by another name. Only for destinations with two names; no other answer pays for it.
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

/** WebDAV's COPY and MOVE name their target by a URL (RFC 4918 section 10.3); old WebSockets had an Origin by this. */
const otherRequestFields = ["destination", "sec-websocket-origin"];

/** The value for the service; undefined if the field goes on as it is. `at`: the field's position in `head.fields`. */
export function toldValue(
  head: FieldLines,
  bytes: Uint8Array,
  { at, names }: { at: number; names: Names },
): string | undefined {
  const id = head.fields[at + FIELD_ID];
  const index = at / FIELD_STRIDE;
  const leads =
    id === Field.origin ||
    id === Field.referer ||
    (id === Field.other && otherRequestFields.some((name) => head.isNamed(bytes, index, name)));
  return leads ? toldUrl(head.valueOf(bytes, index), names) : undefined;
}

/**
 * Whether the request has an Origin that goes on as it is. An answer that echoes it speaks of that page, even if the
 * page has the name that the service was told.
 */
export function keepsOrigin(head: RequestHead, bytes: Uint8Array, names: Names): boolean {
  const index = head.find(Field.origin);
  return index !== -1 && toldUrl(head.valueOf(bytes, index), names) === undefined;
}

type Kind = "url" | "refresh" | "links" | "cookie" | "origin";

/** The fields of an answer, by the length of their names: one number settles that a field is none of them. */
const answerFields: readonly (readonly [name: string, kind: Kind] | undefined)[] = byLength([
  ["location", "url"],
  ["content-location", "url"],
  ["refresh", "refresh"],
  ["link", "links"],
  ["set-cookie", "cookie"],
  ["access-control-allow-origin", "origin"],
]);

function byLength(fields: readonly (readonly [name: string, kind: Kind])[]) {
  const table = new Array<readonly [string, Kind] | undefined>(28).fill(undefined);
  for (const field of fields) table[field[0].length] = field;
  return table;
}

export type AnswerNames = {
  names: Names;
  /** The request's Origin went on as it was. */
  keepsOrigin: boolean;
};

/** The value for the client; undefined if the field goes on as it is. */
export function visibleValue(
  head: FieldLines,
  bytes: Uint8Array,
  { at, names, keepsOrigin: kept }: { at: number } & AnswerNames,
): string | undefined {
  const index = at / FIELD_STRIDE;
  const found = answerFields[head.fields[at + NAME_END]! - head.fields[at + NAME_START]!];
  if (found === undefined || !head.isNamed(bytes, index, found[0])) return undefined;
  const value = head.valueOf(bytes, index);
  const map: MapText = (url) => visibleUrl(url, names);
  switch (found[1]) {
    case "url":
      return map(value);
    case "refresh":
      return mapRefresh(value, map);
    case "links":
      return mapLinks(value, map);
    case "cookie":
      return mapCookie(value, (domain) => visibleDomain(domain, names));
    case "origin":
      return !kept && isOrigin(value) ? map(value) : undefined;
  }
}
