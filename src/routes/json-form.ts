/** Values of ours -> their form in JSON for other programs: snake_case keys, times in ISO 8601; and back. Pure. */

/** Keys whose numbers are milliseconds since the Unix epoch: `startedAt`, and these. */
const moments = ["nextRun", "time"] as const;

type Moment = (typeof moments)[number] | `${string}At`;

type SnakeCase<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : Text;

/** A moment that is absent stays absent. */
type InText<T> = T extends number ? string : T;

/** The type of a value in its JSON form. docs/json.md has the rules. */
export type JsonForm<T> = T extends readonly (infer Item)[]
  ? readonly JsonForm<Item>[]
  : T extends object
    ? {
        [Key in keyof T as Key extends string ? SnakeCase<Key> : never]: Key extends Moment
          ? InText<T[Key]>
          : JsonForm<T[Key]>;
      }
    : T;

const isMoment = (key: string): boolean => {
  return key.endsWith("At") || moments.some((moment) => moment === key);
};

/** The last millisecond that ECMA-262 has a date for, before and after the epoch. */
const farthest = 8.64e15;

/**
 * Every object in the value has keys of ours: an object whose keys are data, such as variables, must not be passed. A
 * value that has its JSON form already is returned as it is.
 */
export function jsonForm<T>(value: T): JsonForm<T> {
  return converted(value, { rename: snakeCase, moment: isoOf }) as JsonForm<T>;
}

/** The value whose JSON form this is. */
export function ofJsonForm<T>(form: JsonForm<T>): T {
  return converted(form, { rename: camelCase, moment: millisecondsOf }) as T;
}

/** ISO 8601, UTC, with milliseconds; null for a number that is no time, and for what is unknown. */
export function isoTime(time: number | undefined): string | null {
  return time === undefined || !(Math.abs(time) <= farthest) ? null : new Date(time).toISOString();
}

type Rules = { rename(key: string): string; moment(value: unknown): unknown };

function converted(value: unknown, rules: Rules): unknown {
  if (Array.isArray(value)) return value.map((item) => converted(item, rules));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, its]) => [
      rules.rename(key),
      isMoment(camelCase(key)) ? rules.moment(its) : converted(its, rules),
    ]),
  );
}

function isoOf(value: unknown): unknown {
  return typeof value === "number" ? isoTime(value) : value;
}

function millisecondsOf(value: unknown): unknown {
  return typeof value === "string" ? Date.parse(value) : (value ?? undefined);
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
