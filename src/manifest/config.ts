/** The text of `config.toml` -> what a person has configured for this machine, or all errors in it. Pure. */
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
  record,
  regex,
  safeParse,
  string,
  transform,
  union,
} from "valibot";
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { type ConfiguredNames, declaredSettings } from "./name-settings.ts";
import { readOrigin } from "./origin.ts";
import { nameMistake } from "./project-name.ts";
import { type Capability, capabilities, isCapability, isPluginName } from "./plugin-words.ts";
import { hostMistake, remoteNameMistake } from "./remote-place.ts";
import { settingEntries } from "./settings-schema.ts";
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

const portWords = "expected a number from 0 to 65535";
const portOrOffWords = 'expected a number from 0 to 65535 or "off"';

const tlds = array(
  pipe(
    string(({ input }) => `expected a domain such as "test", got ${shown(input)}`),
    check(
      (text) => readTld(text).kind === "tld",
      ({ input }) => whyOf(readTld(input)),
    ),
    transform((text) => text.toLowerCase()),
  ),
  ({ input }) => `expected a list such as ["test"], got ${shown(input)}`,
);

const origins = array(
  pipe(
    string(
      ({ input }) => `expected an origin such as "http://localhost:5173", got ${shown(input)}`,
    ),
    check(
      (text) => readOrigin(text).kind === "origin",
      ({ input }) => whyOf(readOrigin(input)),
    ),
  ),
  ({ input }) => `expected a list such as ["http://localhost:5173"], got ${shown(input)}`,
);

/** `true`: all names. */
const bareNames = union(
  [
    boolean(),
    array(
      pipe(
        string(({ input }) => `expected a name such as "api", got ${shown(input)}`),
        regex(
          /^[a-z0-9_-]{1,63}$/,
          ({ input }) =>
            `expected a lower-case name without a dot, such as "api", got ${shown(input)}`,
        ),
      ),
    ),
  ],
  ({ input }) => `expected true, false or a list such as ["api"], got ${shown(input)}`,
);

/** `true`: all engines that are found. */
const containers = union(
  [
    boolean(),
    array(
      pipe(
        string(({ input }) => `expected the path of an engine's socket, got ${shown(input)}`),
        regex(
          /^(?:unix:\/\/)?\/./,
          ({ input }) =>
            `expected the absolute path of an engine's socket, such as "/var/run/docker.sock", got ${shown(input)}`,
        ),
      ),
    ),
  ],
  ({ input }) =>
    `expected true, false or a list such as ["/var/run/docker.sock"], got ${shown(input)}`,
);

function port(words: string) {
  const message = ({ input }: { input: unknown }): string => `${words}, got ${shown(input)}`;
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
  ({ input }) => `${portOrOffWords}, got ${shown(input)}`,
);

const yesOrNo = boolean(({ input }) => `expected true or false, got ${shown(input)}`);

/** `[names.api]`: one server. */
const nameSchema = object(
  settingEntries,
  ({ input }) => `expected a table such as [names.api] with guard = "log", got ${shown(input)}`,
);

const names = record(
  pipe(
    string(),
    check(
      (name) => nameMistake(name) === undefined,
      ({ input }) => nameMistake(input) ?? "",
    ),
  ),
  nameSchema,
  ({ input }) => `expected tables such as [names.api], got ${shown(input)}`,
);

/** `[remotes.box]`: one other machine. */
const remoteSchema = object(
  {
    /** As ssh takes it. */
    host: pipe(
      string(({ input }) => hostMistake(String(shown(input))) ?? ""),
      check(
        (text) => hostMistake(text) === undefined,
        ({ input }) => hostMistake(input) ?? "",
      ),
    ),
  },
  ({ input }) => `expected a table such as [remotes.box] with host = "me@box", got ${shown(input)}`,
);

const remoteKeys: readonly string[] = Object.keys(remoteSchema.entries);

const remotes = record(
  pipe(
    string(),
    check(
      (name) => remoteNameMistake(name) === undefined,
      ({ input }) => remoteNameMistake(input) ?? "",
    ),
  ),
  remoteSchema,
  ({ input }) => `expected tables such as [remotes.box], got ${shown(input)}`,
);

const grantForm = 'a list such as ["write-file"]';

/** `[plugins.redis]`: one plugin. */
const pluginSchema = object(
  {
    grant: optional(
      array(
        pipe(
          string(({ input }) => `expected a capability such as "write-file", got ${shown(input)}`),
          check(isCapability, ({ input }) => {
            const otherwise = `; the capabilities are ${listed(capabilities)}`;
            const near = didYouMean(input, capabilities, { quoted: true, otherwise });
            return `unknown capability ${shown(input)}${near}`;
          }),
        ),
        ({ input }) => `expected ${grantForm}, got ${shown(input)}`,
      ),
    ),
  },
  ({ input }) =>
    `expected a table such as [plugins.redis] with grant = ["write-file"], got ${shown(input)}`,
);

const pluginKeys: readonly string[] = Object.keys(pluginSchema.entries);

const plugins = record(
  pipe(
    string(),
    check(
      isPluginName,
      ({ input }) => `expected the name of a plugin, such as [plugins.redis], got ${shown(input)}`,
    ),
  ),
  pluginSchema,
  ({ input }) => `expected tables such as [plugins.redis], got ${shown(input)}`,
);

/** The file is a layer of every project too: layer.ts reads these. */
export const layerKeys: readonly string[] = ["project", "env", "services", "worktree"];

/** The keys of config.toml itself. */
export const configSchema = object({
  /** Domains besides `localhost` that names may end in. */
  tlds: optional(tlds),
  /** Names without a dot that are served to clients without the proxy's PAC file. */
  bare_names: optional(bareNames),
  /** Web pages that may use the HTTP API. */
  allowed_origins: optional(origins),
  port: optional(port(portWords)),
  http_port: optional(portOrOff),
  https_port: optional(portOrOff),
  https_redirect: optional(yesOrNo),
  /** Container engines whose published ports have names. */
  containers: optional(containers),
  /** The names of services are kept in the hosts file. */
  hosts: optional(yesOrNo),
  /** Other users of this machine may use the proxy. */
  other_users: optional(yesOrNo),
  /** Servers without a NAME have that of the project that they stand in. */
  infer: optional(yesOrNo),
  /** How requests to a name are treated, where nothing nearer to it says so. */
  ...settingEntries,
  /** The same for single names. */
  names: optional(names),
  /** Other machines whose servers have names here. */
  remotes: optional(remotes),
  /** Plugins, and what they may do besides declaring services and ports. */
  plugins: optional(plugins),
});

type Values = InferOutput<typeof configSchema>;

/** `file` is its name in messages. */
export function readConfig(text: string, file: string): ReadConfig {
  const toml = readToml(text);
  if (toml.kind === "bad") {
    const { line, column } = toml.place;
    return { kind: "mistakes", mistakes: [`${file}:${line}:${column}: invalid TOML: ${toml.why}`] };
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

/** Every unknown key; the schema would stop at the first. */
function unknownKeys({ value }: Document): Mistake[] {
  const known = [...Object.keys(configSchema.entries), ...layerKeys];
  const unknown = Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [key], what: unknownKey(key, known) }));
  const ofNames = unknownOfNames(value.names);
  const ofRemotes = unknownWithin(value, { table: "remotes", known: remoteKeys });
  const ofPlugins = unknownWithin(value, { table: "plugins", known: pluginKeys });
  return [...unknown, ...ofNames, ...ofRemotes, ...ofPlugins];
}

function unknownWithin(
  value: Document["value"],
  { table, known }: { table: string; known: readonly string[] },
): Mistake[] {
  return Object.entries(tableOf(value[table])).flatMap(([name, its]) =>
    Object.keys(tableOf(its))
      .filter((key) => !known.includes(key))
      .map((key) => ({ path: [table, name, key], what: unknownKey(key, known) })),
  );
}

function unknownOfNames(names: unknown): Mistake[] {
  const known = Object.keys(settingEntries);
  return Object.entries(tableOf(names)).flatMap(([name, table]) =>
    Object.entries(tableOf(table))
      .filter(([key]) => !known.includes(key))
      .map(([key, its]) => {
        const path = ["names", name, key];
        // TOML reads the dot of `[names.api.shop]` as a table in a table.
        if (!isTable(its)) return { path, what: unknownKey(key, known) };
        return { path, what: `a name with a dot needs quotes: [names."${name}.${key}"]` };
      }),
  );
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return isTable(value) ? value : {};
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

export function namesIn(config: Config): ConfiguredNames {
  const { guard, allow_origins, allow_posts, forwarded, strict_subdomains, names: tables } = config;
  return {
    all: declaredSettings({
      guard: guard?.value,
      allow_origins: allow_origins?.value,
      allow_posts: allow_posts?.value,
      forwarded: forwarded?.value,
      strict_subdomains: strict_subdomains?.value,
    }),
    byName: new Map(
      Object.entries(tables?.value ?? {}).map(([name, table]) => [name, declaredSettings(table)]),
    ),
  };
}

/** Name -> host, as ssh takes it. */
export function remotesIn({ remotes: tables }: Config): ReadonlyMap<string, string> {
  return new Map(Object.entries(tables?.value ?? {}).map(([name, { host }]) => [name, host]));
}

/** The capabilities that the file grants to a plugin. */
export function grantedIn({ plugins: tables }: Config, plugin: string): readonly Capability[] {
  const its = tables?.value ?? {};
  const grant = Object.hasOwn(its, plugin) ? its[plugin]!.grant : undefined;
  return (grant ?? []).filter(isCapability);
}

export function unknownKey(key: string, known: readonly string[]): string {
  const otherwise = `; the keys are ${listed(known)}`;
  return `unknown key${didYouMean(key, known, { quoted: true, otherwise })}`;
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
