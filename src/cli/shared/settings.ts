/** Options, the environment and `config.toml` -> the settings that verbs share, or every error in them. */
import type { ScannerKind } from "../../discovery/source.ts";
import type { Config } from "../../manifest/config.ts";
import { readTld } from "../../manifest/tld.ts";
import { defaultPorts, type Scheme } from "../../routes/service-row.ts";
import { daemonPaths } from "../../system/paths.ts";
import { readDuration } from "../../text/duration.ts";
import { shown } from "../../text/shown.ts";
import { stateDirectoryProblem } from "../../system/state-directory.ts";
import { configuration } from "./configuration.ts";
import { Failure } from "./failure.ts";
import type { World } from "./world.ts";

/** Options, as commander returns them. */
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
  /** The requested port; undefined where none was requested. 0: any free port. */
  port: number | undefined;
  /** The port is from the option, and not from a variable or the file. */
  portFlag: boolean;
  /** Additional ports, for URLs without a port. */
  standardPorts: Readonly<Record<Scheme, StandardPort>>;
  httpsRedirect: boolean;
  /** Other users of this machine may use the proxy. */
  otherUsers: boolean;
  /** Servers without a NAME have that of the project that they stand in. */
  infer: boolean;
  /** Milliseconds for which a daemon that takes over is on trial. */
  trial: number;
  scanner: ScannerKind;
  allUsers: boolean;
  verbose: boolean;
  json: boolean;
  stateDirectory: string;
  /** The state directory is the default one, so that no other user needs to read it. */
  ownPlace: boolean;
  /** The daemon's socket, for IPC. */
  socket: string;
  /** The log of a daemon in the background. */
  log: string;
  /** The name of a separate daemon, with its own ports. */
  sandbox: string | undefined;
  /** Domains besides `localhost` that names end in. */
  tlds: readonly string[];
  /** The file's values; each verb uses those that no option and no variable overrides. */
  config: Config;
};

export type StandardPort = {
  /** Undefined: not used. 0: any free port. */
  port: number | undefined;
  /** The port is from an option, a variable or the file. */
  chosen: boolean;
};

const noStandardPorts: Settings["standardPorts"] = {
  http: { port: undefined, chosen: false },
  https: { port: undefined, chosen: false },
};

/** An error in the command line or the configuration: exit code 2. */
export class UsageError extends Error {
  readonly mistakes: readonly string[];
  /** False where nothing that was typed is wrong: a variable or a file is, and the help of the verb is of no use. */
  readonly isTyped: boolean;

  constructor(mistakes: readonly string[], { isTyped = true }: { isTyped?: boolean } = {}) {
    super(mistakes.join("; "));
    this.mistakes = mistakes;
    this.isTyped = isTyped;
  }
}

export const defaultPort = 9090;

/** Milliseconds. Until a trial is over, the process of the daemon before stays. */
const longestTrial = 24 * 60 * 60 * 1000;

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

export type SettingsOptions = {
  /** For verbs that also work where the file has errors. */
  withoutConfig?: boolean;
};

/** @throws UsageError with every error. */
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
  // Checked even if an option overrides it: the variable will still be wrong without the option.
  const byVariable = read("LOCALHOSTESS_PORT", world.env.LOCALHOSTESS_PORT || undefined);
  const standardPorts = {
    http: standardPort("http", flags.httpPort),
    https: standardPort("https", flags.httpsPort),
  };
  const redirect = world.env.LOCALHOSTESS_HTTPS_REDIRECT ?? "";
  if (!/^[01]?$/.test(redirect)) {
    mistakes.push(`LOCALHOSTESS_HTTPS_REDIRECT: expected 1 or 0, got ${shown(redirect)}`);
  }
  const infer = world.env.LOCALHOSTESS_INFER ?? "";
  if (!/^[01]?$/.test(infer)) {
    mistakes.push(`LOCALHOSTESS_INFER: expected 1 or 0, got ${shown(infer)}`);
  }
  const trial = readDuration(world.env.LOCALHOSTESS_TRIAL || "10s", { longest: longestTrial });
  if (trial.kind === "mistake") mistakes.push(`LOCALHOSTESS_TRIAL: ${trial.why}`);
  const paths = daemonPaths(world);
  if (paths.kind === "mistake") mistakes.push(...paths.mistakes);
  const byFlags = (flags.tld ?? []).flatMap((text) => {
    const read = readTld(text);
    if (read.kind === "tld") return [read.tld];
    mistakes.push(`--tld: ${read.why}`);
    return [];
  });
  if (mistakes.length > 0 || paths.kind === "mistake") {
    throw new UsageError(mistakes, { isTyped: mistakes.some((its) => its.startsWith("--")) });
  }
  const { stateDirectory, sandbox, base } = paths;
  const problem = stateDirectoryProblem(base) ?? stateDirectoryProblem(stateDirectory);
  if (problem !== undefined) throw new Failure("state_directory", problem);
  return {
    // A sandbox shares no port with another daemon, whatever a variable or the file says.
    port: byFlag ?? (sandbox === undefined ? (byVariable ?? config.port?.value) : undefined),
    portFlag: byFlag !== undefined,
    standardPorts: sandbox === undefined ? standardPorts : noStandardPorts,
    httpsRedirect:
      flags.httpsRedirect ??
      (redirect === "" ? (config.https_redirect?.value ?? false) : redirect === "1"),
    otherUsers: flags.otherUsers ?? config.other_users?.value ?? false,
    infer: infer === "" ? (config.infer?.value ?? true) : infer === "1",
    trial: trial.kind === "milliseconds" ? trial.value : 0,
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
