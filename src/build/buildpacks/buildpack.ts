/** The values that the phases of a build hand to one another: shapes only. Words are those of the Buildpacks spec. */

/** A buildpack whose folder is on this machine. buildpack.toml, Buildpack API 0.10 to 0.12. */
export type Buildpack = {
  id: string;
  version: string;
  name: string | undefined;
  homepage: string | undefined;
  /** `0.10`. */
  api: string;
  /** Absolute. */
  directory: string;
  /** The variables that a person has set are kept from it. */
  clearEnv: boolean;
  targets: readonly Target[];
  /** Execution environments that it is for, since 0.12; empty: all. */
  execEnvs: readonly string[];
  /** The groups in the place of a composite. Undefined: a component. */
  order: Order | undefined;
};

export type Target = {
  os: string | undefined;
  arch: string | undefined;
  variant: string | undefined;
  distros: readonly { name: string | undefined; version: string | undefined }[];
};

/** Groups, of which the first that passes is taken. */
export type Order = readonly Group[];

export type Group = readonly GroupEntry[];

export type GroupEntry = {
  id: string;
  /** Undefined: the highest that is known. */
  version: string | undefined;
  optional: boolean;
  /** Execution environments in which it is part of the group; empty: all. */
  execEnvs: readonly string[];
};

/** A component in a group that is tried. */
export type Member = { buildpack: Buildpack; optional: boolean };

export type Requirement = { name: string; metadata: Readonly<Record<string, unknown>> };

/** One alternative of a build plan. */
export type Alternative = {
  provides: readonly { name: string }[];
  requires: readonly Requirement[];
};

/** An entry of the build plan that was chosen. */
export type PlanEntry = {
  name: string;
  requires: readonly Requirement[];
  /** Ids of buildpacks, in the order of the group. */
  providers: readonly string[];
};

export type Detected =
  | { kind: "passed"; group: readonly Buildpack[]; plan: readonly PlanEntry[] }
  /** `why`: a sentence for a person. `lines`: what each buildpack said, and its result. */
  | { kind: "failed"; why: string; lines: readonly string[] };

/** A process of launch.toml. */
export type LaunchProcess = {
  type: string;
  command: readonly string[];
  /** Its own, which the words of a person replace. */
  args: readonly string[];
  isDefault: boolean;
  /** Absolute. */
  workdir: string;
};

/** One of the folders in a place that builds are made in by turns: two, and more only while processes hold them. */
export type Generation = "a" | "b" | "c" | "d";

/** All that a build declares: enough to start it, with the layers that stand in its place. */
export type Launchable = {
  /** Where its app and its layers are. */
  generation: Generation;
  processes: readonly LaunchProcess[];
  /** The buildpacks that have passed, in order. */
  group: readonly { id: string; version: string }[];
};

export type BuildPhase = "analyzing" | "detecting" | "restoring" | "building" | "exporting";

/** Told while a build runs. */
export type BuildEffects = {
  /** A phase has begun; `buildpack`: whose turn it is. */
  phase(phase: BuildPhase, buildpack?: string): void;
  /** A line that a buildpack has written, or that says what is done. */
  write(line: string): void;
  /** Ends it: everything that it has started is ended with it. */
  signal: AbortSignal;
};

export type BuildRequest = {
  /** Absolute: the app's folder. */
  app: string;
  /** Absolute: the project's folder, to which references are relative. */
  directory: string;
  /** Absolute, 0700, its own: where this service's layers and results are. */
  place: string;
  /** Absolute: what is fetched for all projects. */
  cache: string;
  /** Absolute: folders of ours, which are none of the app's where they are in it. */
  without: readonly string[];
  buildpacks: readonly string[];
  /** The shell's: PATH and the like. */
  env: Readonly<Record<string, string>>;
  /** The variables that a person has set for the service: the platform's `env` folder. */
  variables: Readonly<Record<string, string>>;
  /** As if nothing had been built before. */
  clean: boolean;
};

export type Built =
  /** `ran`: false where nothing had changed. */
  | { kind: "built"; ran: boolean; launchable: Launchable }
  /** `why`: a sentence for a person. The last build that succeeded is as it was. */
  | { kind: "failed"; phase: BuildPhase; why: string };
