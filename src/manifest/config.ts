/** The text of `config.toml` -> what a person has configured for this machine, or all that is wrong with it at once. Pure. */
import {
  array,
  boolean,
  check,
  type GenericSchema,
  type InferOutput,
  integer,
  literal,
  maxValue,
  minValue,
  number,
  object,
  optional,
  pipe,
  regex,
  safeParse,
  string,
  transform,
  union,
} from "valibot";
import { nearest } from "../text/nearest.ts";
import { readOrigin } from "./origin.ts";
import { shown } from "../text/shown.ts";
import { readTld } from "./tld.ts";
import { type Document, type Path, pathText, readToml } from "./toml.ts";

/** Where a value was written. */
export type Origin = { file: string; line: number };

export type Configured<Value> = { value: Value; origin: Origin };

/** Keys as the file spells them; only those that it has. */
export type Config = {
  [Key in keyof Values]?: Configured<NonNullable<Values[Key]>>;
};

export type ReadConfig =
  | { kind: "config"; config: Config }
  /** Sentences, each with file, line and key. */
  | { kind: "mistakes"; mistakes: string[] };

const portWords = "a number from 0 to 65535 is expected";
const portOrOffWords = 'a number from 0 to 65535 or "off" is expected';

const tlds = array(
  pipe(
    string(({ input }) => `${shown(input)} is no text; a domain such as "test" is expected`),
    check(
      (text) => readTld(text).kind === "tld",
      ({ input }) => whyOf(readTld(input)),
    ),
    transform((text) => text.toLowerCase()),
  ),
  ({ input }) => `a list is expected, such as ["test"], not ${shown(input)}`,
);

const origins = array(
  pipe(
    string(({ input }) => `${shown(input)} is no text; "http://localhost:5173" is one`),
    check(
      (text) => readOrigin(text).kind === "origin",
      ({ input }) => whyOf(readOrigin(input)),
    ),
  ),
  ({ input }) => `a list is expected, such as ["http://localhost:5173"], not ${shown(input)}`,
);

/** `true`: all of them. */
const bareNames = union(
  [
    boolean(),
    array(
      pipe(
        string(({ input }) => `${shown(input)} is no text; "api" is one`),
        regex(
          /^[a-z0-9_-]{1,63}$/,
          ({ input }) => `${shown(input)} is no name in small letters without a dot, such as "api"`,
        ),
      ),
    ),
  ],
  ({ input }) => `true, false or a list such as ["api"] is expected, not ${shown(input)}`,
);

function port(words: string) {
  const message = ({ input }: { input: unknown }): string => `${words}, not ${shown(input)}`;
  return pipe(
    number(message),
    integer(message),
    minValue(0, message),
    // A TCP port has 16 bits.
    maxValue(65_535, message),
  );
}

const portOrOff = union(
  [literal("off"), port(portOrOffWords)],
  ({ input }) => `${portOrOffWords}, not ${shown(input)}`,
);

const yesOrNo = boolean(({ input }) => `true or false is expected, not ${shown(input)}`);

/** The file is a layer of every project too: layer.ts reads these. */
export const layerKeys: readonly string[] = ["project", "env", "services"];

/** What may stand in the file besides. */
export const configSchema = object({
  /** Domains besides `localhost` that names may end in. */
  tlds: optional(tlds),
  /** Names without a dot that are answered to who asks for them without the proxy's PAC file. */
  bare_names: optional(bareNames),
  /** Web pages that may use the HTTP API. */
  allowed_origins: optional(origins),
  port: optional(port(portWords)),
  http_port: optional(portOrOff),
  https_port: optional(portOrOff),
  https_redirect: optional(yesOrNo),
  /** Other people of this machine may use the proxy. */
  other_users: optional(yesOrNo),
});

type Values = InferOutput<typeof configSchema>;

/** `file` is how messages call it. */
export function readConfig(text: string, file: string): ReadConfig {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    return { kind: "mistakes", mistakes: [`${file}:${line}:${column}: no TOML: ${toml.why}`] };
  }
  const { document } = toml;
  const found = [...unknownKeys(document), ...wrongValues(configSchema, document)].map((its) => {
    const { line } = document.placeOf(its.path);
    return { line, text: `${file}:${line} ${pathText(its.path)}: ${its.what}` };
  });
  if (found.length > 0) {
    found.sort((one, other) => one.line - other.line);
    return { kind: "mistakes", mistakes: found.map((its) => its.text) };
  }
  const values = safeParse(configSchema, document.value).output as Values;
  const config = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      { value, origin: { file, line: document.placeOf([key]).line } },
    ]),
  );
  return { kind: "config", config };
}

type Mistake = { path: Path; what: string };

/** All of them: the schema itself would stop at the first. */
function unknownKeys({ value }: Document): Mistake[] {
  const known = [...Object.keys(configSchema.entries), ...layerKeys];
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = nearest(key, known);
      const help =
        near === undefined ? `the keys are ${known.join(", ")}` : `did you mean "${near}"?`;
      return { path: [key], what: `there is no such key; ${help}` };
    });
}

function wrongValues(schema: GenericSchema, { value }: Document): Mistake[] {
  const { issues } = safeParse(schema, value, { abortPipeEarly: true });
  return (issues ?? []).map((issue) => ({
    path: (issue.path ?? []).map((item) => item.key as string | number),
    what: issue.message,
  }));
}

function whyOf(read: { kind: string; why?: string }): string {
  return read.why ?? "";
}
