/** What a trust store is: a place where programs look for the authorities that they believe, and what can be asked of it. */
import type { CommandResult } from "../../system/command.ts";

/** An authority's certificate, as stores are given it. */
export type Certificate = {
  pem: string;
  /** A file that holds it and nothing else: what a command is pointed at, also one that a person types. */
  path: string;
};

export type Check =
  | { kind: "trusted" }
  /** `why` where there is more to say than that it is not there. */
  | { kind: "absent"; why?: string }
  | { kind: "unavailable"; why: string; fix: string };

export type Outcome =
  /** It is now as asked for. `note`: what is left to a person, such as to start a program again. */
  | { kind: "done"; note?: string }
  | { kind: "already" }
  /** `fix` is the whole command that has the right which this process has not. */
  | { kind: "needs you"; why: string; fix: string }
  | { kind: "failed"; why: string; fix: string };

/** No method rejects: whatever happens in one store, the others have their turn. */
export type TrustStore = {
  /** For a person, and different for every store of a machine. */
  name: string;
  check(certificate: Certificate): Promise<Check>;
  install(certificate: Certificate): Promise<Outcome>;
  /** Removes this certificate and no other. */
  remove(certificate: Certificate): Promise<Outcome>;
};

export type RunOptions = {
  /** Milliseconds until it is killed; a few seconds where nobody says. */
  deadline?: number;
};

export type Run = (
  argv: readonly [string, ...string[]],
  options?: RunOptions,
) => Promise<CommandResult>;

/** Everything that a store touches. */
export type Machine = {
  platform: NodeJS.Platform;
  /** Where the system's files are; `/`, but for tests. */
  root: string;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the system's files may be changed: root. */
  privileged: boolean;
  /** Whether this is Linux inside Windows. */
  wsl: boolean;
  run: Run;
};
