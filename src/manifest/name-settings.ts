/** The words of several files on requests to a name -> how such requests are treated. Pure. */

/** `off`: no check. `log`: what `on` refuses is told, and passes. `strict`: only the name's own project is ours. */
export const guards = ["off", "log", "on", "strict"] as const;

export type Guard = (typeof guards)[number];

/** `none`: the server is told nothing of the client and of what it asked for. */
export const forwardings = ["all", "none"] as const;

export type Forwarding = (typeof forwardings)[number];

/** How requests to a name are treated. */
export type NameSettings = {
  guard: Guard;
  /** Origins of others whose pages may do what ours may; see `allowed-origin.ts`. */
  allowOrigins: readonly string[];
  /** Paths that pages of others may post a form to. */
  allowPosts: readonly string[];
  /** Whether X-Forwarded-* and Forwarded are sent. */
  forwarded: Forwarding;
  /** The service answers for its own name only: `x.api` is not `api`. */
  strictSubdomains: boolean;
};

/** Those that somebody has written. */
export type DeclaredSettings = Readonly<Partial<NameSettings>>;

export const usualSettings: NameSettings = {
  guard: "on",
  allowOrigins: [],
  allowPosts: [],
  forwarded: "all",
  strictSubdomains: false,
};

/** Names in files -> names of ours. */
export const settingKeys = {
  guard: "guard",
  allow_origins: "allowOrigins",
  allow_posts: "allowPosts",
  forwarded: "forwarded",
  strict_subdomains: "strictSubdomains",
} as const satisfies Record<string, keyof NameSettings>;

export type SettingKey = keyof typeof settingKeys;

/** Each key from the first that has it: the nearest to the server comes first. */
export function settingsFrom(
  nearestFirst: readonly (DeclaredSettings | undefined)[],
): NameSettings {
  let settings = usualSettings;
  for (const declared of nearestFirst.toReversed()) {
    if (declared !== undefined) settings = { ...settings, ...declared };
  }
  return settings;
}

/** The values of a table, which are valid. */
export function declaredSettings(
  values: Readonly<Partial<Record<SettingKey, unknown>>>,
): DeclaredSettings {
  const found = Object.entries(settingKeys).flatMap(([key, name]) => {
    const value = values[key as SettingKey];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found) as DeclaredSettings;
}

/** The words of config.toml on all names, and on single ones. */
export type ConfiguredNames = {
  all: DeclaredSettings;
  byName: ReadonlyMap<string, DeclaredSettings>;
};

/** The same without a map, as JSON has none. */
export type ConfiguredList = {
  all: DeclaredSettings;
  names: readonly { name: string; settings: DeclaredSettings }[];
};

export function listOfNames({ all, byName }: ConfiguredNames): ConfiguredList {
  return { all, names: [...byName].map(([name, settings]) => ({ name, settings })) };
}

export function namesOfList({ all, names }: ConfiguredList): ConfiguredNames {
  return { all, byName: new Map(names.map(({ name, settings }) => [name, settings])) };
}
