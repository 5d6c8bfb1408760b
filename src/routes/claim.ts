/** A name for a place that comes from beside the processes: given by a person, a container's, another machine's. */
import type { ServiceCheckout } from "./checkout.ts";
import type { ProcessIdentity } from "./service.ts";

/** Where a claimed name leads. */
export type Place =
  /** Whoever listens on this port of this machine; `address`: there only, where another may have the same port. */
  | { kind: "port"; port: number; address?: string | undefined }
  /** The port that serves the application of a process, for as long as that process runs. */
  | { kind: "process"; process: ProcessIdentity }
  /** A host name or an address that need not be of this machine. */
  | { kind: "host"; host: string; port: number }
  /** The absolute path of a unix socket. */
  | { kind: "socket"; path: string };

/** Where the name is from, in the order in which names are given. */
export type ClaimSource = "given" | "container" | "remote";

export type Claim = {
  /** A lower-case DNS name without `.localhost`. */
  name: string;
  source: ClaimSource;
  /** A clause for a person: `name of container shop-db-1`, `given by localhostess name`. */
  because: string;
  place: Place;
  /** For lists, where no process of this machine tells. Printable. */
  command?: string | undefined;
  cwd?: string | undefined;
  /** The git checkout that it belongs to. */
  checkout?: ServiceCheckout | undefined;
  /** When it began, milliseconds since the Unix epoch. */
  startedAt?: number | undefined;
  /** Users as whom its listener may run, beside us and root; the kernel is asked before each connection. */
  owners?: readonly number[] | undefined;
  /**
   * Set while nobody vouches for the place: the container may have ended, and another server may have its port. Only a
   * process that listens for containers counts then.
   */
  isDoubtful?: boolean | undefined;
  /** Printable sentences for a person. */
  warnings?: readonly string[] | undefined;
};
