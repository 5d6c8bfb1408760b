/** A declared service -> fingerprints of all that decides which code it runs. Pure. */
import { relative } from "node:path";
import type { ProjectSpec, ServiceSpec } from "../../manifest/project.ts";
import type { ImageBuild, Own } from "../../manifest/types/own.ts";
import { movedOwn } from "./moved-spec.ts";
import { type Part, readTemplate, referencesIn, referenceText } from "../../manifest/reference.ts";

/** Key -> fingerprint of all that decides which code a service runs. */
export type Code = ReadonlyMap<string, string>;

/** Keys that do not change which code runs: such changes apply at once. */
type Harmless =
  | (
      | "name"
      | "type"
      | "unusable"
      | "program"
      | "port"
      | "dependsOn"
      | "conditions"
      | "inputs"
      | "restartWith"
      | "readyPattern"
    )
  | (
      | "stopSignal"
      | "stopTimeout"
      | "startTimeout"
      | "restart"
      | "disabled"
      | "profiles"
      | "lazy"
      | "idleTimeout"
    )
  | ("limits" | "schedule" | "watch" | "pty" | "routeName" | "instance" | "plugin");

/** Keys of the file that decide. A new key of the spec does not compile until it is here or in `Harmless`. */
const deciders: {
  [Key in Exclude<keyof ServiceSpec, Harmless>]: (
    spec: ServiceSpec,
    project: ProjectSpec,
  ) => Record<string, unknown>;
} = {
  command: ({ command }, project) => ({ command: filled(command, { project, shell: true }) }),
  // Images, builds and what runs first in a database.
  own: ({ own: its }, project) => (its === undefined ? {} : ownCode(its, project)),
  hooks: ({ hooks }, project) =>
    Object.fromEntries(
      Object.entries(hooks).map(([key, text]) => [key, filled(text, { project, shell: true })]),
    ),
  // Without the usual one, so that what was approved before there was a choice stays approved.
  shell: ({ shell }) => (String(shell) === "/bin/sh,-c" ? {} : { shell }),
  // From the project's folder: one that is moved runs the same code.
  workdir: ({ workdir }, { directory }) => ({ workdir: relative(directory, workdir) }),
  envFiles: ({ envFiles }, { directory }) =>
    envFiles.length === 0 ? {} : { env_file: envFiles.map((path) => relative(directory, path)) },
  health: ({ health }, project) => {
    if (health === undefined) return {};
    const { ask } = health;
    if (ask.kind !== "command") return { health_check: health };
    const command = filled(ask.command, { project, shell: true });
    return { health_check: { ...health, ask: { ...ask, command } } };
  },
  // A branch that is checked out must not let other sites in unseen.
  settings: ({ settings: its }) => ({
    ...(its?.guard === undefined ? {} : { guard: its.guard }),
    ...(its?.allowOrigins === undefined ? {} : { allow_origins: its.allowOrigins }),
    ...(its?.allowPosts === undefined ? {} : { allow_posts: its.allowPosts }),
  }),
  env: (spec, project) =>
    Object.fromEntries(
      [...decidingVariables(spec)].map((name) => [
        `env.${name}`,
        filled(spec.env[name]!, { project, shell: false }),
      ]),
    ),
};

/** By the keys of the file. Ports and settings of a site change nothing of what runs. */
function ownCode(own: Own, project: ProjectSpec): Record<string, unknown> {
  const { directory } = project;
  // One outside the project's folder stays where it is when that is moved.
  const from = (path: string): string =>
    path === directory || path.startsWith(`${directory}/`) ? relative(directory, path) : path;
  switch (own.kind) {
    case "postgres":
      return {
        init: own.init.map(from),
        extensions: own.extensions,
        settings: own.settings,
      };
    case "store":
      return { image: own.image, settings: own.settings };
    case "container":
      return {
        image: own.image,
        build: own.build && imageCode({ ...own.build, context: from(own.build.context) }),
        entrypoint: own.entrypoint,
        user: own.user,
        volumes: own.volumes.map((its) =>
          its.kind === "bind" ? { ...its, source: from(its.source) } : its,
        ),
      };
    case "site":
      return { path: from(own.path) };
    case "built": {
      const { build } = own;
      if (build.kind === "command") {
        return { build: filled(build.command, { project, shell: true }) };
      }
      return { build: { ...build, context: from(build.context) } };
    }
  }
}

/** Without the usual kind, so that what was approved before there was another stays approved. */
function imageCode(build: ImageBuild): Record<string, unknown> {
  if (build.kind === "builder") return build;
  const { kind: _, ...its } = build;
  return its;
}

export function codeOf(spec: ServiceSpec, project: ProjectSpec): Code {
  const found = new Map<string, string>();
  for (const read of Object.values(deciders)) {
    for (const [key, value] of Object.entries(read(spec, project))) {
      // A key of a type that the file does not have.
      if (value !== undefined) found.set(key, fingerprint(value));
    }
  }
  return found;
}

/** A fingerprint of all that a task is run from, but for the content of files; references stand in it unfilled. */
export function taskFingerprint(spec: ServiceSpec, { directory }: ProjectSpec): string {
  const { command, shell, env, inputs, hooks, own } = spec;
  // A project that is moved is the same.
  const workdir = relative(directory, spec.workdir);
  // Without the key where there are none, so that it is the fingerprint of what was completed before there were any.
  const its = Object.keys(hooks).length === 0 ? {} : { hooks };
  const build = own?.kind === "built" ? { build: movedOwn(own, { from: directory, to: "" }) } : {};
  return fingerprint({ command, shell, workdir, env, inputs, ...its, ...build });
}

/** 128 bits: nobody finds two commands for one. */
function fingerprint(value: unknown): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

/** The text with the project's name and folder filled in, as both decide what runs. */
function filled(
  text: string,
  { project, shell }: { project: ProjectSpec; shell: boolean },
): (string | object)[] {
  return partsFilled(readTemplate(text, { shell }).parts, project);
}

function partsFilled(parts: readonly Part[], project: ProjectSpec): (string | object)[] {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if (part.kind === "project") {
      return part.field === "dir" ? project.directory : project[part.field];
    }
    const word = part.kind === "env" ? part.otherwise?.word : undefined;
    const within = word?.some((its) => typeof its !== "string") ? partsFilled(word, project) : [];
    return { reference: referenceText(part), ...(within.length === 0 ? {} : { within }) };
  });
}

/** Variables that programs, shells, interpreters and loaders take code from, or the names of programs that they run. */
const deciding: readonly RegExp[] = [
  // Search paths of programs and libraries: ld.so(8), dyld(1).
  /^(?:PATH|LD_.*|DYLD_.*|GCONV_PATH|HOME|SHELL|XDG_CONFIG_(?:HOME|DIRS))$/,
  // Shells: bash(1), dash(1), zsh(1). Exported functions are called BASH_FUNC_name%%.
  /^(?:BASH_ENV|ENV|ZDOTDIR|FPATH|SHELLOPTS|BASHOPTS|PS4|IFS|PROMPT_COMMAND|BASH_FUNC_.*)$/,
  /^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|BUN_OPTIONS|BUN_.*PRELOAD|DENO_DIR|npm_config_.*|NPM_CONFIG_.*)$/,
  /^(?:YARN_.*|PNPM_.*|COREPACK_.*|TS_NODE_.*|ESBUILD_BINARY_PATH|OPENSSL_.*)$/,
  /^(?:PYTHON.*|PIP_.*|UV_.*|GUNICORN_CMD_ARGS|UWSGI_.*|RUBY.*|GEM_.*|BUNDLE_.*|PERL.*|PHPRC|PHP_INI_SCAN_DIR)$/,
  /^(?:_?JAVA_.*|JDK_.*|CLASSPATH|MAVEN_.*|GRADLE_.*|CATALINA_OPTS)$/,
  /^(?:DOTNET_.*|CORECLR_.*|COR_.*|LUA_.*|ERL_.*|ELIXIR_.*|R_PROFILE.*|R_ENVIRON.*|JULIA_.*|GHC.*)$/,
  /^(?:RUSTC.*|RUSTFLAGS|CARGO_.*|GOFLAGS|GOENV|GOTOOLCHAIN|CC|CXX|MAKEFLAGS|MAKEFILES)$/,
  // Programs that others start: git(1), ssh(1), less(1).
  /^(?:GIT_.*|SSH_.*|SUDO_ASKPASS|EDITOR|VISUAL|PAGER|.*_PAGER|BROWSER|LESSOPEN|LESSCLOSE|DOCKER_.*)$/,
];

/**
 * A variable that a shell puts into a command, wherever it stands there: `sh -c "$RUN"`, `node $SCRIPT` and `timeout 9
 * $RUN` run what it says as much as `$RUN` alone.
 */
const expanded = /\$\{?!?(\w+)/g;

/** The declared ones that decide, and those of which the values of these are made. */
function decidingVariables({ env, command, hooks, health, own }: ServiceSpec): Set<string> {
  const found = new Set<string>();
  const commands = [
    command,
    ...(own?.kind === "built" && own.build.kind === "command" ? [own.build.command] : []),
    ...Object.values(hooks),
    ...(health?.ask.kind === "command" ? [health.ask.command] : []),
  ];
  const add = (name: string): void => {
    if (found.has(name) || !Object.hasOwn(env, name)) return;
    found.add(name);
    for (const other of namedIn(env[name]!, false)) add(other);
  };
  for (const name of Object.keys(env)) if (deciding.some((its) => its.test(name))) add(name);
  for (const text of commands) {
    for (const name of namedIn(text, true)) add(name);
    for (const [, name] of text.matchAll(expanded)) add(name!);
  }
  return found;
}

/** `X` of `${env.X}`. */
function namedIn(text: string, shell: boolean): string[] {
  return referencesIn(readTemplate(text, { shell }).parts).flatMap((its) =>
    its.kind === "env" ? [its.name] : [],
  );
}
