/** How a service is built before it is started: shapes only. */

/** A folder, or `https://…#tag`, as a file names it. */
export type BuildpackReference = string;

/** Cloud Native Buildpacks, run on this machine without a container. */
export type BuildpacksBuild = {
  kind: "buildpacks";
  /** In the order in which they are to detect; empty: those of project.toml. */
  buildpacks: readonly BuildpackReference[];
  /** Absolute: the app's folder. */
  context: string;
  /** The type of the process that is run; undefined: the default one. */
  process: string | undefined;
};

/** A shell command in the service's workdir. */
export type CommandBuild = {
  kind: "command";
  /** References stand in it until it is filled. */
  command: string;
  /** As the file has it, for people: what references stand for may be secrets. Undefined until it is filled. */
  written?: string | undefined;
  /** Globs relative to workdir: it is run again where the content of a matching file has changed; empty: always. */
  inputs: readonly string[];
};

/** A service that is a command, and is built first. Its own command is empty where the build declares one. */
export type BuiltSpec = {
  kind: "built";
  build: BuildpacksBuild | CommandBuild;
};
