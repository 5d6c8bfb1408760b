/** The options of a daemon, and the daemon that runs with them: shapes only. */
import type { TrustWanted } from "../control/commands/command.ts";
import type { Registration } from "../control/found/protocol.ts";
import type { Changes } from "../discovery/scanner.ts";
import type { ScannerKind } from "../discovery/source.ts";
import type { AskOptions } from "../helper/ask-for-ports.ts";
import type { ExtraPort, RefusedPort } from "../proxy/listener/own-ports.ts";
import type { Service } from "../routes/service.ts";
import type { UrlPorts } from "../routes/service-row.ts";
import type { HostsFile } from "../system/hosts-file.ts";
import type { PassedSocket } from "../system/passed-sockets.ts";
import type { PortSource } from "./low-ports.ts";

export type DaemonOptions = {
  /** 0 picks one. */
  port: number;
  extraPorts: readonly ExtraPort[];
  /** Page loads that came without TLS are redirected to https. */
  httpsRedirect: boolean;
  scanner: ScannerKind;
  /** Servers without a NAME have that of the project that they stand in. */
  infer: boolean;
  /** Root only: everybody's processes. */
  allUsers: boolean;
  /** Other people of this machine may use the proxy. */
  otherUsers: boolean;
  /** Where the record and the certificate authority are kept. The directory must be ours, and may be unusable. */
  stateDirectory: string;
  /** The path of the socket for IPC. */
  socket: string;
  /** The file with the daemon's notes; undefined: they go to a terminal. */
  log: string | undefined;
  /** Pages of these origins may use the HTTP API, with the credential. */
  allowedOrigins: readonly string[];
  /** Does what the daemon is asked to do about trust stores. */
  trust(wanted: TrustWanted): Promise<readonly unknown[]>;
  /** Do not start if a daemon runs already. */
  unlessRunning: boolean;
  /** Sockets that a service manager has passed to this process, ours from now on. Default: none. */
  passed?: readonly PassedSocket[];
  /** How the helper for ports 80 and 443 is asked. Default: there is none. */
  helper?: AskOptions;
  /** End with the reason where other commands could not find the daemon: it is in the background. */
  mustBeFound: boolean;
  /** Domains besides `localhost` that names may end in. */
  tlds: readonly string[];
  /** Names without a dot that are answered to clients that do not use the PAC file; true: all of them. */
  bareNames: readonly string[] | boolean;
  /** The source of more of these names. Default: the hosts file of the system. */
  hosts?: HostsFile;
  /**
   * Keeps the names of services in the hosts file. Undefined: never, for a daemon that is not the user's usual one.
   * `wanted` as the setting `hosts` says it. `root`: the directory that is used as `/`.
   */
  hostsBlock?: { wanted: boolean | undefined; root: string } | undefined;
  /** The container engines that are asked: those that are found, these sockets alone, or none. Default: none. */
  containers?: boolean | readonly string[];
  /** Milliseconds that answers under way have when the daemon stops. Default: ten seconds. */
  drain?: number | undefined;
  /** The daemon's own environment, for services that were up before it. */
  env: Readonly<Record<string, string | undefined>>;
  /** `config.toml`, the lowest layer of every project. */
  configFile: string | undefined;
  /** Variables that make services trust our https. */
  serviceTrust(): Promise<Readonly<Record<string, string>>>;
  /** Milliseconds for which a daemon that takes over from this one is on trial; 0: none. Default: ten seconds. */
  trial?: number | undefined;
  /** Called after every scan; `changes` may be empty. */
  onServices(services: readonly Service[], changes: Changes): void;
  /** A sentence for a person: a failed scan, an address that is not there, a fault of ours. */
  onNote(text: string): void;
  /** A sentence about a process that could not be read, for `--verbose`. */
  onSkipped(text: string): void;
  /** Another daemon has taken over: its pid, where the system tells. Called before anything of ours ends. */
  onHandedOver?(pid: number | undefined): void;
};

export type Daemon = {
  readonly port: number;
  /** The main port, and those of the others that were free. */
  readonly ports: readonly number[];
  readonly urlPorts: UrlPorts;
  readonly refusedPorts: readonly RefusedPort[];
  /** Where the sockets of one of our ports are from. */
  sourceOf(port: number): PortSource;
  /** The addresses on which connections are accepted. */
  readonly addresses: readonly string[];
  /** The daemon that this one has replaced. */
  readonly predecessor: Pick<Registration, "pid"> | undefined;
  /** Whether that one has handed over to us, and so knows who we are. */
  readonly isHanded: boolean;
  /** Resolves, with the reason, when somebody else than the caller wants the daemon to stop. */
  readonly dismissed: Promise<string>;
  /** Another daemon listens on our sockets: `stop` waits until our connections have ended. */
  readonly isReplaced: boolean;
  /**
   * A fault of ours, which is told to the daemon before: `why`, for a sentence. @returns whether that one goes on once
   * this process has ended, as it was replaced just now.
   */
  fails(why: string): boolean;
  /** Lets answers under way end, bounded. Twice is harmless. */
  stop(): Promise<void>;
  /** How many processes have this one as their parent, though another daemon supervises them. */
  readonly keeps: number;
  /**
   * To be called last of all. Resolves once no process needs this one as its parent any more, and may not return: a
   * program that does nothing else may take its place, unless it `stays`.
   */
  kept(how: { stays: boolean }): Promise<void>;
};
