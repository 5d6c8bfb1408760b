/** `localhostess up [path] [service...]` -> the services of a project, running and ready, or the reason why not. */
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { givenNameMistake } from "../../manifest/project-name.ts";
import type { ProjectSpec } from "../../manifest/project.ts";
import { profileMistakes } from "../../supervisor/project/asked-services.ts";
import { longestTimer } from "../../text/duration.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import { isProjectFile, projectFolderOf } from "../shared/project-files.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { askedFor, type NameFor } from "./asked-for.ts";
import { patienceOf } from "./patience.ts";

export type UpFlags = Flags & {
  /** True, or a word that names no file: then `-f` is `--foreground`. */
  file?: string | true;
  /** `false`: `--no-wait`. */
  wait?: boolean;
  timeout?: string;
  foreground?: boolean;
  tasks?: boolean;
  profile?: readonly string[];
  /** `false`: `--no-name`. */
  name?: string | false;
};

export async function up(typed: readonly string[], given: UpFlags, world: World): Promise<number> {
  const { words, file, flags } = await meant(typed, given, world);
  const patience = patienceOf(flags.timeout);
  if (flags.foreground && flags.wait === false) {
    throw new UsageError(["--foreground and --no-wait cannot be combined"]);
  }
  if (flags.foreground && flags.json) {
    throw new UsageError(["--foreground and --json cannot be combined"]);
  }
  const nameFor = await namesFor(flags, world);
  const asked = await askedFor(words, world, { file, flags, nameFor, plans: true });
  const { project, services, file: named } = asked;
  const name = nameFor(project.directory);
  // An agent's variable may have come along into another project.
  if (flags.name === undefined && typeof name === "string" && !flags.json) {
    const says = `LOCALHOSTESS_PROJECT names the project here ${name}`;
    world.err.write(`${world.err.colors.dim(says)}\n`);
  }
  if (flags.profile !== undefined && services.length > 0) {
    const why = "--profile is about the whole project, and a service that is named starts anyway";
    throw new UsageError([`${why}; leave out one of both`]);
  }
  const profiles = profilesOf(flags, { project, world });
  const settings = await settingsOf(flags, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const request = {
    Start: {
      project_path: project.directory,
      ...(named === undefined ? {} : { file: named }),
      ...(name === undefined ? {} : { name }),
      verbose: flags.verbose ?? false,
      env: definedOf(world.env),
      ...(services.length === 0 ? { profiles } : { services }),
      ...(flags.tasks ? { tasks: true } : {}),
      // A person who watches the services goes on watching, and one who says how long to wait waits that long.
      ...(flags.foreground || patience !== undefined ? { patience: longestTimer } : {}),
    },
  };
  // Tasks that were asked for by name would run twice.
  const runsTasks = project.services.some(
    (its) => its.type === "task" && services.includes(its.name),
  );
  const repeats = flags.tasks !== true && !runsTasks;
  const upping = { socket, request, repeats, project, services, world };
  if (flags.foreground) {
    const { upInForeground } = await import("./up-foreground.ts");
    return await upInForeground(upping, { patience });
  }
  const { upInBackground } = await import("./up-background.ts");
  return await upInBackground(upping, {
    wait: flags.wait ?? true,
    patience,
    json: flags.json ?? false,
  });
}

/**
 * The name that is asked for, by folder: that of the flag for the project that is meant, that of the variable for the
 * one here. Null: none but that of its files; undefined: nothing is asked. @throws UsageError
 */
async function namesFor({ name }: UpFlags, world: World): Promise<NameFor> {
  const variable = world.env.LOCALHOSTESS_PROJECT;
  const [text, from] = name === undefined ? [variable, "LOCALHOSTESS_PROJECT"] : [name, "--name"];
  if (text === undefined || text === "") return () => undefined;
  if (text === false) return () => null;
  const wrong = givenNameMistake(text);
  if (wrong !== undefined) throw new UsageError([`${from}: ${wrong}`], { isTyped: name === text });
  if (from === "--name") return () => text;
  const here = await projectFolderOf(undefined, world);
  const directory = await realpath(here).catch(() => here);
  return (folder) => (folder === directory ? text : undefined);
}

/** foreman's `-f` names the file; with anything else behind it, or nothing, it stands for `--foreground`. */
async function meant(words: readonly string[], { file, ...flags }: UpFlags, { cwd }: World) {
  if (file === undefined) return { words, file, flags };
  const foreground = { ...flags, foreground: true };
  if (file === true) return { words, file: undefined, flags: foreground };
  const found = await stat(resolve(cwd, file)).catch(() => undefined);
  if (found?.isFile() || isProjectFile(file)) return { words, file, flags };
  return { words: [file, ...words], file: undefined, flags: foreground };
}

/** Those that were typed, or those of the variable that this project has. @throws an Error for one that it has not. */
function profilesOf(
  flags: UpFlags,
  { project, world }: { project: ProjectSpec; world: World },
): readonly string[] {
  if (flags.profile !== undefined) {
    const mistakes = profileMistakes(project, flags.profile);
    if (mistakes.length > 0) throw new Failure("not_found", mistakes.join("\n"));
    return flags.profile;
  }
  // The variable may be set for several projects.
  const names = (world.env.LOCALHOSTESS_PROFILES ?? "").split(",").map((its) => its.trim());
  return names.filter((its) => its !== "" && profileMistakes(project, [its]).length === 0);
}
