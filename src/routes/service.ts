/** What a name stands for: the values that discovery makes and the proxy dials. */

/** A socket that listens, and where to dial it. */
export type Endpoint = {
  /** The address as the kernel reports it: `127.0.0.1`, `::1`, `0.0.0.0`, `::` or another of this machine's. */
  address: string;
  port: number;
  /**
   * Addresses to dial, in order, never empty. A wildcard address is dialled on its own family's
   * loopback first, because another program may hold the same port in the other family.
   */
  dial: readonly string[];
  /**
   * Set where nobody has seen the service listen: before each connection the kernel is asked whether whoever listens is one of
   * these users, us or root. Another user may have taken the port.
   */
  owners?: readonly number[];
};

/** A pid with the time its process started: a pid alone may be reused. */
export type ProcessIdentity = {
  pid: number;
  /** Start time, milliseconds since the Unix epoch, rounded down to a whole second. */
  startedAt: number;
};

/** One named group of listening processes: a row of `localhostess ls`. */
export type Service = {
  /** Lower-case DNS name without the `.localhost` ending; printable text where `routable` is false. */
  name: string;
  /** False: it is listed with the reason in `warnings`, and never proxied to. */
  routable: boolean;
  /** The primary endpoint, chosen by `discovery/pick-port.ts`. */
  endpoint: Endpoint;
  /** The process that owns the primary endpoint (the oldest where several share it). */
  process: ProcessIdentity;
  /** Pid of the topmost of its ancestors that carry the name, or its own; undefined where it was only given. */
  root?: number;
  /** The user it belongs to, where that is not ours. */
  user?: number;
  /** Every process of the service that listens, ascending. */
  pids: readonly number[];
  /** Every port of the service, ascending, without repeats. */
  ports: readonly number[];
  /** The command line of `process`, printable, one line. */
  command: string;
  /** Its working directory; undefined where it could not be read. */
  cwd: string | undefined;
  /** Where the name came from. */
  source: "NAME";
  /** Sentences for a person, printable. */
  warnings: readonly string[];
};
