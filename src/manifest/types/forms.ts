/** The forms that values of many keys have -> valibot schemas. Pure. */
import {
  array,
  boolean,
  check,
  integer,
  maxValue,
  minValue,
  number,
  pipe,
  record,
  string,
  union,
} from "valibot";
import { shown } from "../../text/shown.ts";

export function expected(words: string) {
  return ({ input }: { input: unknown }): string => `expected ${words}, got ${shown(input)}`;
}

/** A string that can be passed to a system call. */
export function text(words: string) {
  return pipe(
    string(expected(words)),
    check((value) => value.trim() !== "", `expected ${words}, got an empty string`),
    check((value) => !value.includes("\0"), "a NUL character is not allowed"),
  );
}

export function whole(least: number, most: number) {
  const message = expected(`a whole number from ${least} to ${most}`);
  return pipe(number(message), integer(message), minValue(least, message), maxValue(most, message));
}

export const flag = boolean(expected("true or false"));
export const paths = union(
  [text("a path"), array(text("a path"), expected("a list of paths"))],
  expected("a path or a list of paths"),
);

export const env = record(
  string(),
  pipe(
    string(({ input }) =>
      typeof input === "number" || typeof input === "boolean"
        ? `expected a string; write "${input}"`
        : `expected a string, got ${shown(input)}`,
    ),
    check((value) => !value.includes("\0"), "a NUL character is not allowed"),
  ),
  expected('a table such as { LOG = "debug" }'),
);
