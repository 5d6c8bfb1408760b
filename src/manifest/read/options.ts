/** A project's folder, layers and env files -> what the readers of this folder are given of the world. Pure. */
import type { Layer, Source } from "../layer.ts";
import type { Plans } from "../planned.ts";
import type { Checkout } from "../project.ts";

/** An env file: `.env`, or one that `env_file` names. */
export type EnvFile =
  { kind: "text"; text: string } | { kind: "missing" } | { kind: "unreadable"; why: string };

/** The parts of a project's name that its files do not say. */
export type Naming = {
  /** Asked for, with `up --name` or in the environment: before all that the files say. */
  given?: string | undefined;
  /** In the place of the committed name, which another folder has. */
  instead?: string | undefined;
  /** The label of a linked worktree, which stands in front of the committed name. */
  label?: string | undefined;
  /** In the place of the folder's own name, where no file has one: that of the main checkout. */
  folder?: string | undefined;
};

export type ManifestOptions = {
  /** Absolute: the project's folder. */
  directory: string;
  /** Absolute: the person's folder, for `~` in a path. */
  home?: string | undefined;
  /** Lowest first. */
  layers: readonly Layer[];
  /** The file of the layer that is for this folder alone, and not committed. */
  local?: Source | undefined;
  naming?: Naming | undefined;
  /** The checkout of a git repository that the folder is in. */
  checkout?: Checkout | undefined;
  /** True: committed ports are another checkout's, so that services have free ones here. */
  freesPorts?: boolean | undefined;
  /** Absolute path -> what is there. Only `.env` may be missing. */
  envFiles: ReadonlyMap<string, EnvFile>;
  /** Domains besides `localhost` that names may end in. */
  tlds?: readonly string[] | undefined;
  /** The shell's variables; without them, no variable is reported as not set. */
  shell?: Readonly<Record<string, string | undefined>> | undefined;
  /** Accepted plans of plugins. */
  plans?: Plans | undefined;
  /** Types of ours that a plugin knows too: services of them are told in `written`. */
  claimed?: readonly string[] | undefined;
  /** Every file that was read or looked for. */
  files?: readonly string[];
  /** How messages name an absolute path. */
  nameOf?: (path: string) => string;
};
