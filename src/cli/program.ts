/** Arguments -> the verb that they name, run; its exit code. The grammar of each theme is in its folder. */
import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { listed } from "../text/list.ts";
import { nearest } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import { daemonVerbs } from "./daemon/grammar.ts";
import { dbVerbs } from "./projects/db-grammar.ts";
import { installVerbs } from "./install/grammar.ts";
import { fileVerbs } from "./projects/file-grammar.ts";
import { runningVerbs } from "./projects/running-grammar.ts";
import { pluginVerbs } from "./plugins/grammar.ts";
import { serverVerbs } from "./servers/grammar.ts";
import { endOf, failed, type Ran } from "./ending.ts";
import { printJson } from "./shared/json-output.ts";
import { exitCode } from "./shared/exit-code.ts";
import type { Action, Choose } from "./shared/verb.ts";
import { openHint } from "./open-hint.ts";
import { typedWords } from "./typed-words.ts";
import type { World } from "./shared/world.ts";
import { trustVerbs } from "./trust/grammar.ts";
import { typingVerbs } from "./typing/grammar.ts";

/** Verbs are imported when they run, so that none waits for the proxy to load. */
export async function ran(argv: readonly string[], world: World): Promise<Ran> {
  let action: Action | undefined;
  const program = grammar(world, (chosen) => {
    action = chosen;
  });
  program.on("option:sandbox", (name: string) => {
    // An empty name is an error, and does not mean the usual daemon.
    world.env = { ...world.env, LOCALHOSTESS_SANDBOX: name || " " };
  });
  let place: string | undefined;
  program.hook("preAction", (_, verb) => {
    place = placeIn(verb);
  });
  try {
    await program.parseAsync(typedWords(argv, program), { from: "user" });
    const code = (await action?.()) ?? exitCode.done;
    if (argv.length === 1 && ambiguousVerbs.includes(argv[0]!)) await tellOpen(argv[0]!, world);
    return endOf(code, world);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed the message. Help and version end with 0.
      const [word] = program.args;
      const isVerb = program.commands.some((verb) => verb.name() === word);
      if (error.code === "commander.unknownCommand" && word !== undefined && !isVerb) {
        await tellOpen(word, world);
      }
      if (world.json !== undefined) answerHelp(error, { argv, world, json: world.json });
      return { code: error.exitCode === 0 ? exitCode.done : exitCode.usage, failure: "usage" };
    }
    return failed(error, { argv, world, place });
  }
}

type Helped = { argv: readonly string[]; world: World; json: NonNullable<World["json"]> };

/** With `--json`: the help that was asked for, or an error in the place of the one that was not. */
function answerHelp({ code, exitCode: end }: CommanderError, helped: Helped): void {
  const { argv, world, json } = helped;
  if (code === "commander.version") printJson(world, { version: packageJson.version });
  else if (end === 0) printJson(world, { help: json.help });
  else if (code === "commander.help") {
    const words = argv.filter((word) => !word.startsWith("-")).join(" ");
    json.more.push(`${words}: a command is missing; see: localhostess ${words} --help`);
  }
}

/** `localhostess registry clean`. */
function placeIn(verb: Command): string {
  return verb.parent === null ? verb.name() : `${placeIn(verb.parent)} ${verb.name()}`;
}

/** A verb that does something without words behind it, and whose name people give to servers. */
const ambiguousVerbs: readonly string[] = ["api"];

/** For a person who typed the name of a server, and no verb before it. */
async function tellOpen(word: string, world: World): Promise<void> {
  const command = await openHint(word, world);
  if (command === undefined) return;
  const name = printable(word, 100);
  world.err.write(`localhostess: ${name} is the name of a server; to open it: ${command}\n`);
}

/** The heading of the commands that belong to no theme. */
const otherCommands = "Other:";

/** Every verb, with its options; `choose` hears which of them was typed. */
export function grammar(world: World, choose: Choose): Command {
  const program = new Command("localhostess")
    .description("Names instead of ports for every server on this machine.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .commandsGroup(otherCommands)
    .helpCommand("help [command]", "print the help of a command")
    .usage("[command] [options]")
    .option("--sandbox <name>", "use a separate daemon with its own state and ports")
    .exitOverride()
    .configureOutput({
      writeOut(text) {
        if (world.json === undefined) world.out.write(text);
        else world.json.help += text;
      },
      writeErr: (text) => void world.err.write(text),
      outputError: (text, write) =>
        write(
          `${text}${placeOf(text, program)}`
            .replace(/^error: /, "localhostess: ")
            .replace(/[^\n]+/g, (line) => printable(line)),
        ),
      getOutHelpWidth: () => world.out.columns() ?? 80,
      getErrHelpWidth: () => world.err.columns() ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      `
The default command is ls. A server started with NAME in its environment gets a
URL with that name:
  $ NAME=api bun dev
  $ localhostess server start
  $ curl http://api.localhost:9090/

Exit codes: 0 success, 1 failure, 2 usage error.
Environment: LOCALHOSTESS_PORT, LOCALHOSTESS_HTTP_PORT, LOCALHOSTESS_HTTPS_PORT,
LOCALHOSTESS_HTTPS_REDIRECT, LOCALHOSTESS_INFER, LOCALHOSTESS_STATE_DIR,
LOCALHOSTESS_STORES_DIR, LOCALHOSTESS_SANDBOX, LOCALHOSTESS_CONFIG,
LOCALHOSTESS_PROJECT, LOCALHOSTESS_PROFILES, LOCALHOSTESS_TRIAL, NO_COLOR.
Configuration: ~/.config/localhostess/config.toml. Options override environment
variables, and environment variables override the file.`,
    );
  // Settings such as exitOverride are copied to the verbs when they are made, so the verbs come last.
  const themes = [
    ["Servers:", serverVerbs],
    ["Projects:", runningVerbs],
    ["Databases:", dbVerbs],
    ["locald.toml:", fileVerbs],
    ["Plugins:", pluginVerbs],
    ["Certificates:", trustVerbs],
    ["Daemon:", daemonVerbs],
    ["Installation:", installVerbs],
    [otherCommands, typingVerbs],
  ] as const;
  for (const [heading, verbs] of themes) {
    program.commandsGroup(heading);
    verbs(program, choose, world);
  }
  showOwnHelp(program, program.name());
  return program;
}

/** A mistake leads to the help of its verb. */
function showOwnHelp(verb: Command, words: string): void {
  verb.showHelpAfterError(`see: ${words} --help`);
  for (const its of verb.commands) showOwnHelp(its, `${words} ${its.name()}`);
}

/** For a verb that stands below another one: `clean` -> `localhostess registry clean`. */
function placeOf(text: string, program: Command): string {
  const name = /^error: unknown command '(.+)'/.exec(text)?.[1];
  const places = program.commands
    .filter((verb) => verb.commands.some((its) => its.name() === name))
    .map((verb) => `localhostess ${verb.name()} ${name}`);
  if (places.length > 0) return `(It is ${listed(places, { conjunction: "or" })})\n`;
  if (name === undefined) return "";
  // The nearest by its letters may be another one: LS is as far from up.
  const same = program.commands.find((verb) => verb.name() === name.toLowerCase());
  if (same !== undefined && !text.includes(`Did you mean ${same.name()}?`)) {
    return `(Did you mean ${same.name()}?)\n`;
  }
  if (text.includes("Did you mean")) return "";
  const all = program.commands.flatMap((verb) =>
    verb.commands.map((its) => ({ name: its.name(), place: placeIn(its) })),
  );
  const near = nearest(
    name,
    all.map((its) => its.name),
  );
  const found = all.find((its) => its.name === near);
  return found === undefined ? "" : `(Did you mean ${found.place}?)\n`;
}
