/** How a kind of store is found, started from its program, and run in a container: shapes only. */
import type { StorePlace } from "../../manifest/order.ts";
import type { ContainerSpec, StoreSpec } from "../../manifest/types/own.ts";

/** One store of a project. */
export type StoreFacts = {
  spec: StoreSpec;
  place: StorePlace;
  /** Both on 127.0.0.1. */
  port: number;
  /** By what they are for: `smtp`. */
  ports: Readonly<Record<string, number>>;
  password: string;
};

/** The program that was found for it. */
export type FoundProgram = {
  /** Absolute. */
  path: string;
  /** `7.0.15`. */
  version: string;
};

export type ProgramFacts = StoreFacts & {
  program: FoundProgram;
  /** The environment of the service. */
  env: Readonly<Record<string, string>>;
  /** This process is root's, and the server's will be. */
  isRoot: boolean;
};

/** How it is started from an installed program. No secret is in `words`, which everybody on this machine may read. */
export type ProgramStart = {
  /** The arguments of the program. */
  words: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Files of mode 0600 that are written before each start: by their absolute paths. */
  files: Readonly<Record<string, string>>;
};

/** How it is started in a container. Secrets are in `env`, which the engine is given in the body of a request. */
export type ContainerStart = {
  spec: Pick<ContainerSpec, "entrypoint" | "ports"> & {
    image: string;
    /** The port on which it listens inside. */
    inside: number;
    /** The folder of its data inside. */
    data: string;
  };
  /** Behind the entry point. */
  words: readonly string[];
  env: Readonly<Record<string, string>>;
};

export type StoreServer = {
  /** For a person: `Redis`. */
  title: string;
  /** Names of its program: the first that is found and has the version. */
  programs: readonly string[];
  /** Folders besides PATH and the system's own; `version`: as declared. */
  folders(version: string | undefined): readonly string[];
  /** The arguments with which it says its version. */
  asksVersion: readonly string[];
  /** Undefined: another program that has the same name. */
  versionIn(said: string): string | undefined;
  /** Completes `<title> is not installed`: how to get it. */
  getting: string;
  start(facts: ProgramFacts): ProgramStart;
  /**
   * Makes the data in an empty folder, which becomes `place.data` when all is done. Undefined: the server does that
   * itself. @throws an Error with a sentence.
   */
  prepare?(folder: string, facts: ProgramFacts): Promise<void>;
  inContainer(facts: StoreFacts): ContainerStart;
};
