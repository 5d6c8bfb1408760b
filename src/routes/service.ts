/** A named service and its endpoint: the values that discovery makes and the proxy dials. */
import type { ServiceCheckout } from "./checkout.ts";

/** A listening socket, and how to dial it. */
export type Endpoint = {
  /**
   * The address as the kernel reports it: `127.0.0.1`, `::1`, `0.0.0.0`, `::` or another address of this machine; a
   * host that somebody has named; or the absolute path of a unix socket, and then the port is 0.
   */
  address: string;
  port: number;
  /**
   * Addresses to dial, in order, never empty; or the path. A wildcard address is dialled on the loopback address of its
   * own family first, because another program may hold the same port in the other family.
   */
  dial: readonly string[];
  /**
   * Set if nobody has seen the service listen. Before each connection the kernel is then asked whether the listener
   * belongs to one of these users, to us or to root: another user may have taken the port. Of a unix socket the same is
   * asked in any case, by the owner of its file.
   */
  owners?: readonly number[];
  /**
   * The listening sockets that it was seen with: the low 32 bits of the kernel's numbers. Before each connection the
   * kernel is asked whether one of them would get it, because another process may have taken the port since, or have it
   * at another address. Undefined where the system does not tell sockets apart.
   */
  sockets?: readonly number[];
  /** Set for a host that somebody has named: it need not be of this machine. */
  isElsewhere?: boolean;
};

/** A pid with its process's start time, because a pid alone may be reused. */
export type ProcessIdentity = {
  pid: number;
  /** Start time, milliseconds since the Unix epoch, rounded down to a whole second. */
  startedAt: number;
};

/**
 * Where a name is from, the strongest first. `ancestor`: NAME of a process that it has come of. `given`, `container`
 * and `remote`: a `Claim`. `folder`: no NAME at all; the project that the process stands in.
 */
export const nameSources = [
  "LOCALHOSTESS_NAME",
  "NAME",
  "ancestor",
  "given",
  "container",
  "folder",
  "remote",
] as const;

export type NameSource = (typeof nameSources)[number];

/** A named group of listening processes, or a place that somebody has named: one row of `localhostess ls`. */
export type Service = {
  /** A lower-case DNS name without `.localhost`; any printable text if `routable` is false. */
  name: string;
  /** False: the service is listed with the reason in `warnings`, and requests never go to it. */
  routable: boolean;
  /** The primary endpoint, chosen by `routes/pick-port.ts`. */
  endpoint: Endpoint;
  /**
   * The process that owns the primary endpoint; the oldest if several share it. Undefined where none of this machine's
   * is known: behind a unix socket, in a container, on another machine.
   */
  process?: ProcessIdentity | undefined;
  /** When it began, where no process tells: milliseconds since the Unix epoch. */
  startedAt?: number | undefined;
  /** The pid of the topmost ancestor with the same name, or its own; undefined if discovery has not seen it. */
  root?: number;
  /** The user it runs as, if that is not us. */
  user?: number;
  /** The pids of all listening processes of the service, ascending. */
  pids: readonly number[];
  /** All ports of the service, ascending, without duplicates. */
  ports: readonly number[];
  /** The command line of `process`: printable, one line. */
  command: string;
  /** The working directory of `process`; undefined if it could not be read. */
  cwd: string | undefined;
  /** The source of the name. */
  source: NameSource;
  /** A clause for a person on where the name is from: `NAME of pid 17, its ancestor`. */
  because?: string | undefined;
  /** The git checkout that its process runs in; undefined in none, or where nobody has looked. */
  checkout?: ServiceCheckout | undefined;
  /** Set where its plain name can show several checkouts, and made by the route table. */
  origin?: ShownOrigin | undefined;
  /** Printable sentences for a person. */
  warnings: readonly string[];
};

/** The plain name that can show a service, and whether it does now, in browsers that have chosen nothing else. */
export type ShownOrigin = { name: string; shown: boolean };

/** A service that discovery has seen the process of. */
export type FoundService = Service & { process: ProcessIdentity };
