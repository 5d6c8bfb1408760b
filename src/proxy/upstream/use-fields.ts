/**
 * A request -> the checkout that it asks for, by a field or by its browser's cookie, and its other cookies. Read only
 * for names that can show several checkouts; without such a field or cookie, no text is made.
 */
import { secureUseCookie, useCookie, useField } from "../../routes/origins.ts";
import { Field } from "../../wire/field.ts";
import {
  FIELD_ID,
  FIELD_STRIDE,
  type FieldLines,
  NAME_END,
  NAME_START,
  VALUE_END,
  VALUE_START,
} from "../../wire/head.ts";

/** A label of DNS has 63 letters; a longer value is none, and is not shown in full. */
const longest = 64;

/**
 * The label, in lower case; undefined: the request says nothing of it. The field is stronger than the cookie: a program
 * sets it, or a service that passes it on. Of several cookies of one name, the first counts: which of them is of this
 * host alone, a browser does not say.
 */
export function useIn(head: FieldLines, bytes: Uint8Array): string | undefined {
  let chosen: string | undefined;
  const end = head.fieldCount * FIELD_STRIDE;
  for (let at = 0; at < end; at += FIELD_STRIDE) {
    if (head.fields[at + FIELD_ID] !== Field.other) continue;
    if (isNamed(head, bytes, at, useField)) {
      const value = labelIn(head.valueOf(bytes, at / FIELD_STRIDE));
      if (value !== "") return value;
    } else if (chosen === undefined && hasUseCookie(head, bytes, at)) {
      const pairs = head.valueOf(bytes, at / FIELD_STRIDE).split(";");
      chosen = labelFor(pairs, secureUseCookie) ?? labelFor(pairs, useCookie);
    }
  }
  return chosen;
}

function labelFor(pairs: readonly string[], name: string): string | undefined {
  const pair = pairs.find((its) => isNamedPair(its, name));
  return labelIn(pair?.slice(pair.indexOf("=") + 1) ?? "") || undefined;
}

function labelIn(value: string): string {
  return unpadded(value).toLowerCase().slice(0, longest);
}

/** Whether the field is a Cookie with our name in it, which is the end of the one by https too. */
export function hasUseCookie(head: FieldLines, bytes: Uint8Array, at: number): boolean {
  if (head.fields[at + FIELD_ID] !== Field.other || !isNamed(head, bytes, at, "cookie")) {
    return false;
  }
  const last = head.fields[at + VALUE_END]! - useCookie.length;
  next: for (let i = head.fields[at + VALUE_START]!; i < last; i++) {
    for (let k = 0; k < useCookie.length; k++) {
      if (bytes[i + k] !== useCookie.charCodeAt(k)) continue next;
    }
    return true;
  }
  return false;
}

/** The value of a Cookie field without ours; "" if there is no other. */
export function otherCookies(value: string): string {
  const others = value.split(";").filter((pair) => !isOurs(pair));
  return unpadded(others.join(";"));
}

/** Without spaces and tabs around it. trim() would take octet A0 too, with which letters of UTF-8 such as à end. */
function unpadded(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isPadding(value, start)) start++;
  while (end > start && isPadding(value, end - 1)) end--;
  return value.slice(start, end);
}

function isPadding(value: string, at: number): boolean {
  return value[at] === " " || value[at] === "\t";
}

function isOurs(pair: string): boolean {
  return isNamedPair(pair, useCookie) || isNamedPair(pair, secureUseCookie);
}

function isNamedPair(pair: string, name: string): boolean {
  return unpadded(pair).startsWith(`${name}=`);
}

function isNamed(head: FieldLines, bytes: Uint8Array, at: number, lower: string): boolean {
  const length = head.fields[at + NAME_END]! - head.fields[at + NAME_START]!;
  return length === lower.length && head.isNamed(bytes, at / FIELD_STRIDE, lower);
}
