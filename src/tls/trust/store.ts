/**
 * The interface of a trust store, a place where programs look up trusted certificate authorities, and of its machine.
 */
import type { CommandResult } from "../../system/command.ts";

/** A certificate authority's certificate, in the form that stores take. */
export type Certificate = {
  pem: string;
  /** A file that holds only this certificate: the argument of commands, including those that a person types. */
  path: string;
};

export type Check =
  | { kind: "trusted" }
  /** `why` says more than that the certificate is missing. */
  | { kind: "absent"; why?: string }
  | { kind: "unavailable"; why: string; fix: string };

export type Outcome =
  /** The store is now as requested. `note`: what is left for the person to do, such as to restart a program. */
  | { kind: "done"; note?: string }
  | { kind: "already" }
  /** `fix` is the complete command, run with the permission that this process lacks. */
  | { kind: "needs you"; why: string; fix: string }
  | { kind: "failed"; why: string; fix: string };

/** No method rejects: a failure in one store does not affect the others. */
export type TrustStore = {
  /** The name shown to a person; different for every store of a machine. */
  name: string;
  check(certificate: Certificate): Promise<Check>;
  install(certificate: Certificate): Promise<Outcome>;
  /** Removes this certificate and no other. */
  remove(certificate: Certificate): Promise<Outcome>;
};

export type RunOptions = {
  /** Milliseconds until the command is killed. The default is a few seconds. */
  deadline?: number;
};

export type Run = (
  argv: readonly [string, ...string[]],
  options?: RunOptions,
) => Promise<CommandResult>;

/** Everything that a store touches. */
export type Machine = {
  platform: NodeJS.Platform;
  /** The root of the system's files: `/`, except in tests. */
  root: string;
  home: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the system's files may be changed, which takes root. */
  privileged: boolean;
  /** Whether this is Linux inside Windows. */
  wsl: boolean;
  run: Run;
};
