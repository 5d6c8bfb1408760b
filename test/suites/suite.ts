/** What a suite is to the page of scores: a name, what runs it against one proxy, and the score that comes of it. */
import type { Crew } from "../bench/crew.ts";

/** One proxy with a server behind it. `control`: where that server tells what it has seen. */
export type Target = {
  /** `localhostess`, or a peer's name. */
  readonly name: string;
  readonly version: string;
  /** Plain HTTP at 127.0.0.1. */
  readonly port: number;
  /** TLS at 127.0.0.1, with h2 by ALPN. */
  readonly securePort: number;
  /** The name of the server behind it, without a port. */
  readonly host: string;
  readonly control: string;
};

/** A case that did not pass. `why`: what came instead. */
export type Failure = { readonly name: string; readonly why: string };

export type Score = {
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly Failure[];
};

/** The server that stands behind the proxies while a suite runs. */
export type Behind = "echo" | "sockets" | "h2-echo";

export type Suite = {
  readonly label: string;
  /** A row of the page. */
  readonly title: string;
  readonly behind: Behind;
  /** The folder or program that has to be given; undefined where the suite is our own. */
  readonly given?: string;
  /** The option that gives it; `label` unless several suites share one. */
  readonly folder?: string;
  /** A text: why there is no score for this target. */
  run(target: Target, turn: Turn): Promise<Score | string>;
};

export type Turn = {
  readonly crew: Crew;
  /** As it was given on the command line; empty for our own suites. */
  readonly given: string;
  /** A directory of this suite's own for this target. */
  readonly dir: string;
  /** A sample of a suite that has thousands of cases. */
  readonly quick: boolean;
};

/** Results of cases into a score. `why` undefined: passed. */
export function scoreOf(
  results: readonly { readonly name: string; readonly why: string | undefined }[],
): Score {
  const failures = results.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
  return { passed: results.length - failures.length, total: results.length, failures };
}
