/** Flags, the environment and `config.toml` -> what all verbs want to know, or every mistake in them. */
import type { ScannerKind } from "../discovery/source.ts";
import type { Config } from "../manifest/config.ts";
import { readTld } from "../manifest/tld.ts";
import { stateDirectory } from "../system/paths.ts";
import { configuration } from "./configuration.ts";
import type { World } from "./world.ts";

/** As they come from the command line. */
export type Flags = {
  port?: string;
  scanner?: ScannerKind;
  allUsers?: boolean;
  verbose?: boolean;
  json?: boolean;
  tld?: readonly string[];
};

export type Settings = {
  /** As asked for; undefined where nobody said. 0: any. */
  port: number | undefined;
  scanner: ScannerKind;
  allUsers: boolean;
  verbose: boolean;
  json: boolean;
  stateDirectory: string;
  /** Domains besides `localhost` that names end in. */
  tlds: readonly string[];
  /** What the file says, of which each verb takes what it needs where no flag and no variable says more. */
  config: Config;
};

/** A mistake of whoever typed the command: exit code 2. */
export class UsageError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join("; "));
    this.mistakes = mistakes;
  }
}

export const defaultPort = 9090;

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

export type SettingsOptions = {
  /** For verbs that work, or tell more, where the file has mistakes. */
  withoutConfig?: boolean;
};

/** @throws UsageError with all that is wrong. */
export async function settingsOf(
  flags: Flags,
  world: World,
  { withoutConfig = false }: SettingsOptions = {},
): Promise<Settings> {
  const mistakes: string[] = [];
  const read = (source: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const port = portOf(text);
    if (port === undefined) {
      mistakes.push(`${source} ${JSON.stringify(text)}: a port is a number from 0 to 65535`);
    }
    return port;
  };
  const byFlag = read("--port", flags.port);
  // Also when a flag beats it: a variable that is wrong today is wrong tomorrow, without the flag.
  const byVariable = read("LOCALHOSTESS_PORT", world.env.LOCALHOSTESS_PORT || undefined);
  const directory = stateDirectory(world);
  if (directory.kind === "mistake") mistakes.push(directory.what);
  const byFlags = (flags.tld ?? []).flatMap((text) => {
    const read = readTld(text);
    if (read.kind === "tld") return [read.tld];
    mistakes.push(`--tld: ${read.why}`);
    return [];
  });
  const file = withoutConfig ? undefined : await configuration(world);
  if (file?.kind === "mistakes") mistakes.push(...file.mistakes);
  const config = file?.kind === "config" ? file.config : {};
  if (mistakes.length > 0 || directory.kind === "mistake") throw new UsageError(mistakes);
  return {
    port: byFlag ?? byVariable ?? config.port?.value,
    scanner: flags.scanner ?? "auto",
    allUsers: flags.allUsers ?? false,
    verbose: flags.verbose ?? false,
    json: flags.json ?? false,
    stateDirectory: directory.path,
    tlds: [...new Set(flags.tld === undefined ? config.tlds?.value : byFlags)],
    config,
  };
}
