/** Flags, the environment and `config.toml` -> what all verbs want to know, or every mistake in them. */
import type { ScannerKind } from "../../discovery/source.ts";
import type { Config } from "../../manifest/config.ts";
import { readTld } from "../../manifest/tld.ts";
import { defaultPorts, type Scheme } from "../../routes/service-row.ts";
import { daemonPaths } from "../../system/paths.ts";
import { shown } from "../../text/shown.ts";
import { stateDirectoryProblem } from "../../system/state-directory.ts";
import { configuration } from "./configuration.ts";
import type { World } from "./world.ts";

/** As they come from the command line. */
export type Flags = {
  port?: string;
  httpPort?: string;
  httpsPort?: string;
  httpsRedirect?: boolean;
  otherUsers?: boolean;
  scanner?: ScannerKind;
  allUsers?: boolean;
  verbose?: boolean;
  json?: boolean;
  tld?: readonly string[];
};

export type Settings = {
  /** As asked for; undefined where nobody said. 0: any. */
  port: number | undefined;
  /** The port was a flag's, and neither a variable's nor the file's. */
  portFlag: boolean;
  /** The ports besides, for URLs without one. */
  standardPorts: Readonly<Record<Scheme, StandardPort>>;
  httpsRedirect: boolean;
  /** Other people of this machine may use the proxy. */
  otherUsers: boolean;
  scanner: ScannerKind;
  allUsers: boolean;
  verbose: boolean;
  json: boolean;
  stateDirectory: string;
  /** Nobody said where the state directory is, so that nobody else needs to read it. */
  ownPlace: boolean;
  /** The daemon's, for IPC. */
  socket: string;
  /** What a daemon in the background has to say. */
  log: string;
  /** A daemon apart from the usual one, with ports of its own. */
  sandbox: string | undefined;
  /** Domains besides `localhost` that names end in. */
  tlds: readonly string[];
  /** What the file says, of which each verb takes what it needs where no flag and no variable says more. */
  config: Config;
};

export type StandardPort = {
  /** Undefined: it is left alone. 0: any. */
  port: number | undefined;
  /** Somebody said so. */
  chosen: boolean;
};

const noStandardPorts: Settings["standardPorts"] = {
  http: { port: undefined, chosen: false },
  https: { port: undefined, chosen: false },
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
  const file = withoutConfig ? undefined : await configuration(world);
  if (file?.kind === "mistakes") mistakes.push(...file.mistakes);
  const config = file?.kind === "config" ? file.config : {};
  const read = (source: string, text: string | undefined, or = ""): number | undefined => {
    if (text === undefined) return undefined;
    const port = portOf(text);
    if (port === undefined) {
      mistakes.push(`${source}: expected a number from 0 to 65535${or}, got ${shown(text)}`);
    }
    return port;
  };
  const standardPort = (scheme: Scheme, flag: string | undefined): StandardPort => {
    const variable = world.env[`LOCALHOSTESS_${scheme.toUpperCase()}_PORT`] || undefined;
    const from = (source: string, text: string | undefined) =>
      text === "off" ? text : read(source, text, ' or "off"');
    const byVariable = from(`LOCALHOSTESS_${scheme.toUpperCase()}_PORT`, variable);
    const said = from(`--${scheme}-port`, flag) ?? byVariable ?? config[`${scheme}_port`]?.value;
    const port = said === "off" ? undefined : (said ?? defaultPorts[scheme]);
    return { port, chosen: said !== undefined };
  };
  const byFlag = read("--port", flags.port);
  // Also when a flag beats it: a variable that is wrong today is wrong tomorrow, without the flag.
  const byVariable = read("LOCALHOSTESS_PORT", world.env.LOCALHOSTESS_PORT || undefined);
  const standardPorts = {
    http: standardPort("http", flags.httpPort),
    https: standardPort("https", flags.httpsPort),
  };
  const redirect = world.env.LOCALHOSTESS_HTTPS_REDIRECT ?? "";
  if (!/^[01]?$/.test(redirect)) {
    mistakes.push(`LOCALHOSTESS_HTTPS_REDIRECT: expected 1 or 0, got ${shown(redirect)}`);
  }
  const paths = daemonPaths(world);
  if (paths.kind === "mistake") mistakes.push(...paths.mistakes);
  const byFlags = (flags.tld ?? []).flatMap((text) => {
    const read = readTld(text);
    if (read.kind === "tld") return [read.tld];
    mistakes.push(`--tld: ${read.why}`);
    return [];
  });
  if (mistakes.length > 0 || paths.kind === "mistake") throw new UsageError(mistakes);
  const { stateDirectory, sandbox, base } = paths;
  const problem = stateDirectoryProblem(base) ?? stateDirectoryProblem(stateDirectory);
  if (problem !== undefined) throw new Error(problem);
  return {
    // A sandbox shares no port with anybody, whatever a profile or the file says.
    port: byFlag ?? (sandbox === undefined ? (byVariable ?? config.port?.value) : undefined),
    portFlag: byFlag !== undefined,
    standardPorts: sandbox === undefined ? standardPorts : noStandardPorts,
    httpsRedirect:
      flags.httpsRedirect ??
      (redirect === "" ? (config.https_redirect?.value ?? false) : redirect === "1"),
    otherUsers: flags.otherUsers ?? config.other_users?.value ?? false,
    scanner: flags.scanner ?? "auto",
    allUsers: flags.allUsers ?? false,
    verbose: flags.verbose ?? false,
    json: flags.json ?? false,
    stateDirectory,
    ownPlace: paths.own,
    socket: paths.socket,
    log: paths.log,
    sandbox,
    tlds: [...new Set(flags.tld === undefined ? config.tlds?.value : byFlags)],
    config,
  };
}
