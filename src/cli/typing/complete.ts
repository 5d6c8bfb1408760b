/** The words typed so far -> the words that may come next, as a completion script reads them. */
import type { Argument, Command, Option } from "commander";
import { projectFolderOf, projectIn } from "../shared/project-files.ts";
import { namesOf } from "../../routes/named.ts";
import type { NameSource } from "../../routes/service.ts";
import { stateWords } from "../../routes/state-sentence.ts";
import type { World } from "../shared/world.ts";

/** Milliseconds. Nobody waits longer for a word to be completed. */
const soon = 1000;

export type CompleteOptions = { program: Command; world: World };

type Candidate = { value: string; meaning: string };

/** The paths that the shell completes besides. */
type Otherwise = "none" | "files" | "dirs";

type Candidates = { candidates: readonly Candidate[]; otherwise: Otherwise };

/** The names of arguments in the grammar whose values can be completed. */
const serviceArguments = ["service", "services"];
const addressArguments = ["name", "url|name"];

/**
 * Prints a line for each candidate: the word, a tab, its description. The last line is `:none`, `:files` or `:dirs`,
 * the paths that the shell offers too. The last of the words is the one under the cursor, as far as it has been typed.
 * Never fails: an error could not be shown in the middle of a line.
 */
export async function complete(
  words: readonly string[],
  { program, world }: CompleteOptions,
): Promise<number> {
  const { candidates, otherwise } = await candidatesFor(words, { program, world });
  const last = words.at(-1) ?? "";
  for (const { value, meaning } of candidates) {
    if (value.startsWith(last)) world.out.write(`${value}\t${meaning}\n`);
  }
  world.out.write(`:${otherwise}\n`);
  return 0;
}

async function candidatesFor(
  words: readonly string[],
  { program, world }: CompleteOptions,
): Promise<Candidates> {
  const last = words.at(-1) ?? "";
  let command = program;
  let count = 0;
  let awaiting: Option | undefined;
  /** Behind `help` come verbs, and nothing of what stands behind those. */
  let isHelp = false;
  for (const word of words.slice(0, -1)) {
    if (awaiting !== undefined) {
      awaiting = undefined;
      continue;
    }
    // The rest is a command of another program.
    if (word === "--") return { candidates: [], otherwise: "files" };
    if (word.startsWith("-")) {
      const option = command.options.find((its) => [its.short, its.long].includes(word));
      if (option?.required) awaiting = option;
      continue;
    }
    if (word === "help" && command === program && count === 0 && !isHelp) {
      isHelp = true;
      continue;
    }
    const verb = count === 0 ? visible(command).find((its) => its.name() === word) : undefined;
    if (verb === undefined) count += 1;
    else command = verb;
  }
  if (awaiting?.long === "--profile") {
    return { candidates: await profilesHere(world).catch(() => []), otherwise: "none" };
  }
  if (awaiting?.long === "--grant") {
    const { capabilities } = await import("../../plugins/plan.ts");
    return choices(capabilities, { otherwise: "none" });
  }
  if (awaiting !== undefined)
    return choices(awaiting.argChoices, { otherwise: valuesOf(awaiting) });
  if (last.startsWith("-")) return { candidates: optionsOf(command), otherwise: "none" };
  const verbs = count === 0 ? visible(command) : [];
  if (verbs.length > 0) {
    const candidates = verbs.map((its) => ({ value: its.name(), meaning: its.description() }));
    return { candidates, otherwise: "none" };
  }
  const argument = isHelp ? undefined : argumentAt(command, count);
  if (argument === undefined) return { candidates: [], otherwise: "none" };
  if (argument.argChoices !== undefined) return choices(argument.argChoices, { otherwise: "none" });
  return await named(argument, { command, world, words });
}

/** The names of existing services; a verb that creates one has none to offer. */
async function named(
  argument: Argument,
  { command, world, words }: { command: Command; world: World; words: readonly string[] },
): Promise<Candidates> {
  const name = argument.name();
  if (command.name() === "name") {
    const [forgets, remembers] = ["--forget", "--remember"].map((its) => words.includes(its));
    const asked = remembers
      ? forgottenHere(world)
      : forgets
        ? addresses(world, { from: "folder" })
        : name === "name"
          ? givenNames(world)
          : namelessPorts(world);
    const candidates = await asked.catch(() => []);
    return { candidates, otherwise: forgets ? "dirs" : "none" };
  }
  const services = serviceArguments.includes(name);
  if (services || (addressArguments.includes(name) && command.name() !== "add")) {
    const candidates = await (services ? servicesHere(world) : addresses(world)).catch(() => []);
    return { candidates, otherwise: "none" };
  }
  if (name === "path") {
    const candidates = command.registeredArguments.some((its) =>
      serviceArguments.includes(its.name()),
    )
      ? await servicesHere(world).catch(() => [])
      : [];
    return { candidates, otherwise: "dirs" };
  }
  if (name === "machine" && command.name() !== "add") {
    return { candidates: await machines(world).catch(() => []), otherwise: "none" };
  }
  if (name === "plugin") {
    return { candidates: await plugins(world).catch(() => []), otherwise: "none" };
  }
  if (name === "worktree") {
    return { candidates: await worktrees(world).catch(() => []), otherwise: "dirs" };
  }
  if (name === "project") {
    return { candidates: await projects(world).catch(() => []), otherwise: "dirs" };
  }
  if (name === "folder" && command.name() === "new") return { candidates: [], otherwise: "dirs" };
  const isFile = ["command", "file", "file|url"].includes(name);
  return { candidates: [], otherwise: isFile ? "files" : "none" };
}

/** The names of projects that the running daemon knows. */
async function projects(world: World): Promise<Candidate[]> {
  const [{ findRunning }, { settingsOf }, { ask }] = await Promise.all([
    import("../shared/daemon-here.ts"),
    import("../shared/settings.ts"),
    import("../../control/found/client.ts"),
  ]);
  const found = await findRunning(await settingsOf({}, world));
  if (found.kind !== "healthy") return [];
  type Known = { RegistryList: readonly { name: string; path: string }[] };
  const asked = await ask<Known>(found.registration.socket, "RegistryList", { deadline: soon });
  if (asked.kind === "failed") return [];
  return asked.value.RegistryList.map(({ name, path }) => ({ value: name, meaning: line(path) }));
}

/** The names of other machines that the running daemon knows. */
async function machines(world: World): Promise<Candidate[]> {
  const [{ looker }, { settingsOf }] = await Promise.all([
    import("../shared/look.ts"),
    import("../shared/settings.ts"),
  ]);
  const { remotes = [] } = await looker(await settingsOf({}, world))();
  return remotes.map(({ name, host }) => ({ value: name, meaning: line(host) }));
}

/** Plugins that are installed, and those of the project here. */
async function plugins(world: World): Promise<Candidate[]> {
  const [{ installedPlugins }, { settingsOf }] = await Promise.all([
    import("../../plugins/installed.ts"),
    import("../shared/settings.ts"),
  ]);
  const { stateDirectory } = await settingsOf({}, world);
  const project = await projectFolderOf(undefined, world);
  const read = await installedPlugins({ stateDirectory, project });
  if (read.kind === "broken") return [];
  return read.plugins.map(({ name, state }) => ({ value: name, meaning: state }));
}

/** The linked worktrees of the repository here, by their branches. */
async function worktrees(world: World): Promise<Candidate[]> {
  const { repositoryHere } = await import("../shared/repository-here.ts");
  const { all } = await repositoryHere(world);
  return all.flatMap(({ branch, label, root }) =>
    label === undefined ? [] : [{ value: branch ?? label, meaning: line(root) }],
  );
}

async function servicesHere(world: World): Promise<Candidate[]> {
  const read = await projectIn(await projectFolderOf(undefined, world), world);
  if (read.kind !== "project") return [];
  const { services } = read.project;
  return namesOf(services).map((value) => {
    const its = services.find(({ name, instance }) => name === value || instance?.of === value);
    return { value, meaning: line(its?.command ?? "") };
  });
}

async function profilesHere(world: World): Promise<Candidate[]> {
  const read = await projectIn(await projectFolderOf(undefined, world), world);
  if (read.kind !== "project") return [];
  const { services } = read.project;
  return [...new Set(services.flatMap((its) => its.profiles))].map((value) => {
    const having = services.filter((its) => its.profiles.includes(value));
    return { value, meaning: line(having.map((its) => its.name).join(", ")) };
  });
}

/** Folders that name no servers, as a person has said. */
async function forgottenHere(world: World): Promise<Candidate[]> {
  const [{ forgottenPath, readForgotten }, { settingsOf }] = await Promise.all([
    import("../../discovery/forgotten-folders.ts"),
    import("../shared/settings.ts"),
  ]);
  const read = readForgotten(forgottenPath((await settingsOf({}, world)).stateDirectory));
  if (read.kind === "broken") return [];
  return read.folders.map((value) => ({ value, meaning: "" }));
}

/** Names that were given, whether or not they lead anywhere. */
async function givenNames(world: World): Promise<Candidate[]> {
  const [{ namesPath, readNames }, { placeWords }, { settingsOf }] = await Promise.all([
    import("../../discovery/names-file.ts"),
    import("../../routes/place-words.ts"),
    import("../shared/settings.ts"),
  ]);
  const read = readNames(namesPath((await settingsOf({}, world)).stateDirectory));
  if (read.kind === "broken") return [];
  return read.names.map(({ name, place }) => ({ value: name, meaning: line(placeWords(place)) }));
}

/** Ports of servers that could have a name. */
async function namelessPorts(world: World): Promise<Candidate[]> {
  const [{ looker, unusableIn }, { settingsOf }] = await Promise.all([
    import("../shared/look.ts"),
    import("../shared/settings.ts"),
  ]);
  const sight = await looker(await settingsOf({}, world))();
  return unusableIn(sight).map(({ port, command }) => ({
    value: String(port),
    meaning: line(command),
  }));
}

/** The names of running servers and of projects' services that have one, or only those that are `from` a source. */
async function addresses(world: World, { from }: { from?: NameSource } = {}): Promise<Candidate[]> {
  const [{ looker }, { settingsOf }] = await Promise.all([
    import("../shared/look.ts"),
    import("../shared/settings.ts"),
  ]);
  const { services, supervised } = await looker(await settingsOf({}, world))();
  const names = new Map<string, string>();
  for (const its of from === undefined ? supervised : []) {
    const name = its.instance?.routeName ?? its.routeName;
    if (name !== undefined) names.set(name, stateWords(its));
  }
  for (const { name, routable, command, source } of services) {
    if (routable && (from === undefined || source === from)) names.set(name, command);
  }
  return [...names].map(([value, meaning]) => ({ value, meaning: line(meaning) }));
}

function visible(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}

function optionsOf(command: Command): Candidate[] {
  const own = command.options
    .filter((option) => !option.hidden && option.long !== undefined && option.long !== null)
    .map((option) => ({ value: option.long!, meaning: line(option.description) }));
  return [...own, { value: "--help", meaning: "print its help" }];
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  return all[index] ?? (last?.variadic ? last : undefined);
}

function choices(
  values: readonly string[] | undefined,
  { otherwise }: { otherwise: Otherwise },
): Candidates {
  const candidates = (values ?? []).map((value) => ({ value, meaning: "" }));
  return { candidates, otherwise: candidates.length > 0 ? "none" : otherwise };
}

function valuesOf({ flags }: Option): Otherwise {
  return /<(?:directory|folder)>/.test(flags) ? "dirs" : /<file>/.test(flags) ? "files" : "none";
}

/** Text cut to the width of a completion list. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 60);
}
