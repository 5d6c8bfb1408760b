/** A scan's result: the machine's listening sockets and the processes that hold them; and the interface of a source. */
import type { CommonName } from "../routes/common-name.ts";
import type { ProcessIdentity } from "../routes/service.ts";

/** A process that holds a listening socket, or an ancestor of one. */
export type ObservedProcess = {
  pid: number;
  /** Milliseconds since the Unix epoch, rounded down to a whole second. */
  startedAt: number;
  /** The parent's pid; 0 if it has none. */
  parent: number;
  /** The process group's id. */
  group: number;
  uid: number;
  /**
   * `LOCALHOSTESS_NAME` from its environment, which a supervisor sets, or else `NAME`, unchanged. Undefined if neither
   * is set, or if the environment cannot be read.
   */
  name: string | undefined;
  /** The variable that `name` is from. */
  variable?: "LOCALHOSTESS_NAME" | "NAME" | undefined;
  /** True where the program has written its title over its environment, or a part of it. */
  overwritten?: boolean | undefined;
  /** True where its environment is empty, or the system does not show it to us. */
  unreadable?: boolean | undefined;
  /** `PORT` from its environment: the port it was asked to listen on. */
  wantedPort?: number | undefined;
  /** Its arguments joined by spaces, unchanged. */
  command: string;
  /** Its working directory; undefined if it cannot be read. */
  cwd: string | undefined;
};

/** The order of two processes; of those that began in the same second, the lower pid is first. */
export function oldestFirst(
  a: Pick<ObservedProcess, "startedAt" | "pid">,
  b: Pick<ObservedProcess, "startedAt" | "pid">,
): number {
  return a.startedAt - b.startedAt || a.pid - b.pid;
}

/** One address and port with a listener, and every process that holds a socket there. */
export type Observation = {
  /** The address in the kernel's notation: `127.0.0.1`, `::1`, `0.0.0.0`, `::`, `192.168.1.7`. */
  address: string;
  port: number;
  /** Ascending, never empty. */
  pids: readonly number[];
};

/** The login, terminal or daemon that a process belongs to. */
export type Session = {
  id: number;
  /** The session has a terminal. */
  terminal: boolean;
};

/** One listening socket. Several may share an address and a port (SO_REUSEPORT). */
export type ListeningSocket = {
  address: string;
  port: number;
  /** The kernel's number for it. */
  inode: number;
  /** The processes that hold it: ascending; empty where they are not visible to us, such as another user's. */
  pids: readonly number[];
};

/** A listening socket of a process that is not visible to us: another user's, or in another namespace. */
export type Unowned = {
  address: string;
  port: number;
  uid: number;
};

/** A process or socket that could not be read, and why. Shown only with verbose output. */
export type Skipped = {
  /** Undefined if the socket is visible, but not its owner. */
  pid: number | undefined;
  why: string;
};

/** One scan of the machine. */
export type Scan = {
  /** Sorted by port, then by address. */
  observations: readonly Observation[];
  /** Undefined where the source does not tell sockets apart. */
  sockets?: readonly ListeningSocket[];
  /** By pid: the owners of observations, and their ancestors. */
  processes: ReadonlyMap<number, ObservedProcess>;
  /** Other processes with a NAME that one of those has too. Of one NAME, at most 64. */
  bystanders?: readonly ObservedProcess[];
  /** Values of NAME that are no server's, as `commonNames` has found. */
  common?: readonly CommonName[] | undefined;
  /** By pid, of both; undefined where the source does not tell. */
  sessions?: ReadonlyMap<number, Session>;
  skipped: readonly Skipped[];
  /** Sockets of others; undefined where the source cannot tell whether there are any. */
  unowned?: readonly Unowned[] | undefined;
};

/** A way to scan: procfs, or lsof with ps. Both give the same result on the same machine. */
export interface Source {
  readonly kind: "procfs" | "lsof";
  /**
   * Runs one scan at a time. The scan ends by itself, or has a deadline.
   *
   * @throws Error with a sentence for a person, if the machine cannot be scanned this way.
   */
  scan(): Promise<Scan>;
  /**
   * Reads the variables of processes that have just begun, before they may write over them, and returns their NAMEs as
   * they are. Synchronous and cheap.
   */
  glance?(): readonly string[];
  /** Processes by their NAME, whether they listen or not. Undefined where the source reads listening ones only. */
  named?(isWanted: (name: string | undefined) => boolean): Promise<readonly ObservedProcess[]>;
  /** Whether the process still runs. Synchronous and cheap, for a request that uses an old snapshot. */
  alive?(process: ProcessIdentity): boolean;
}
