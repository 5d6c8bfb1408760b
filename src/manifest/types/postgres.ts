/** The keys of `type = "postgres"` -> a managed PostgreSQL. Pure. */
import {
  array,
  check,
  description,
  optional,
  pipe,
  record,
  regex,
  string,
  transform,
  union,
  number,
  boolean,
} from "valibot";
import { absolute } from "../../text/absolute.ts";
import { shown } from "../../text/shown.ts";
import { expected, paths, text } from "./forms.ts";
import type { PostgresSpec } from "./own.ts";
import type { OwnReader } from "./reader.ts";
import { usualMajor } from "./usual.ts";

/** `version` of every type that has versions: as text. */
export const versionKey = optional(
  pipe(
    union(
      [number(), text('a version such as 17 or "7.2"')],
      expected('a version such as 17 or "7.2"'),
    ),
    description("The version: of postgres the major one, such as 17; of others also `7.2`."),
    transform(String),
    check(
      (value) => /^[0-9]+(?:\.[0-9]+)*(?:-[a-z0-9.]+)?$/.test(value),
      'expected a version such as 17 or "7.2"',
    ),
  ),
);

const settingForm = "a string, a number, true or false";

/** One line of a file, in the store's own words. Empty is a value: `save = ""` of redis. */
const setting = pipe(
  union([string(), number(), boolean()], expected(settingForm)),
  check(
    (value) => typeof value !== "string" || !/[\0\r\n]/.test(value),
    "a setting is one line, without NUL",
  ),
  transform((value) => (typeof value === "boolean" ? (value ? "on" : "off") : String(value))),
);

export const postgresKeys = {
  version: versionKey,
  database: optional(
    pipe(
      text("a name"),
      check(
        (value) => /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(value),
        'expected a name of letters, digits, "_" and "-" that begins with a letter',
      ),
      description("The database that is made and that dependents are given."),
    ),
  ),
  init: optional(
    pipe(
      paths,
      description(
        "Of postgres: SQL files that are run once, when its data is made, in their order; relative to the project's folder.",
      ),
    ),
  ),
  settings: optional(
    pipe(
      record(string(), setting, expected('a table such as { shared_buffers = "256MB" }')),
      description("Settings in the store's own words, such as lines of postgresql.conf."),
    ),
  ),
  extensions: optional(
    pipe(
      array(
        pipe(
          text("an extension"),
          regex(/^[A-Za-z0-9_][A-Za-z0-9_-]*$/, 'expected an extension such as "pg_trgm"'),
        ),
        expected('a list such as ["pg_trgm"]'),
      ),
      description(
        "Of postgres: extensions that are made in the database, where its binaries have them.",
      ),
    ),
  ),
};

/** Settings by their names, each of which is one word. */
export function settingsIn({ value, wrong }: OwnReader): Record<string, string> {
  const its = value<Record<string, string>>("settings") ?? {};
  const odd = Object.keys(its).find((name) => !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name));
  if (odd !== undefined) wrong("settings", `${shown(odd)} is no setting's name`);
  return its;
}

export function readPostgres(reader: OwnReader): PostgresSpec {
  const { value, wrong, directory } = reader;
  const version = value<string>("version") ?? String(usualMajor);
  const major = /^[0-9]{1,2}$/.test(version) ? Number(version) : 0;
  if (major < 9) wrong("version", "expected a major version of PostgreSQL, such as 17");
  return {
    kind: "postgres",
    major,
    database: value<string>("database") ?? "postgres",
    init: [value<string | string[]>("init") ?? []].flat().map((path) => absolute(path, directory)),
    settings: settingsIn(reader),
    extensions: value<string[]>("extensions") ?? [],
  };
}
