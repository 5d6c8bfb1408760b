/** Arguments as typed -> the words that the grammar reads: `help up` is `up --help`, and no verb is `ls`. Pure. */
import type { Command } from "commander";
import { printable } from "../text/printable.ts";
import { split } from "./command-apart.ts";
import { UsageError } from "./shared/settings.ts";

/** Options of the program itself, which need no verb. */
const own = ["-h", "--help", "-V", "--version"];
const helpFlags = ["-h", "--help"];

/** @throws UsageError where help is asked for with words behind a verb that has none below it. */
export function typedWords(typed: readonly string[], program: Command): string[] {
  const argv = withJsonBehind(typed, program);
  const { lead, rest } = split(argv);
  const [first] = rest;
  if (first === "help") return [...lead, ...helpFor(rest.slice(1), program)];
  if (first === undefined || (first.startsWith("-") && !own.includes(first))) {
    return ["ls", ...argv];
  }
  const end = rest.indexOf("--");
  const asksHelp = rest
    .slice(0, end === -1 ? rest.length : end)
    .some((its) => helpFlags.includes(its));
  const { path, unknown } = asksHelp ? walk(rest, program) : { path: [], unknown: undefined };
  // Without the option, a verb that does not exist is an error like any other.
  return unknown === undefined ? withEnd(argv, first) : [...lead, ...path, unknown];
}

/** `use --` ends what `use` has begun: the hyphens are a word of their own, and separate nothing. */
function withEnd(argv: readonly string[], verb: string): string[] {
  const at = verb === "use" ? argv.indexOf("--") : -1;
  return at === -1 ? [...argv] : argv.with(at, "--end");
}

/** `--json url api` is `url api --json`. A verb that has others below it needs one of them, and no option. */
function withJsonBehind(argv: readonly string[], program: Command): readonly string[] {
  const end = argv.indexOf("--");
  const before = argv.slice(0, end === -1 ? argv.length : end);
  const others = before.filter((word) => word !== "--json");
  const { lead, rest } = split(others);
  const [verb = "-"] = rest;
  if (others.length === before.length || verb.startsWith("-")) return argv;
  const { path, unknown } = walk(rest, program);
  const isGroup = unknown === undefined && path.length === rest.length && below(path, program) > 0;
  return [...lead, ...rest, ...(isGroup ? [] : ["--json"]), ...argv.slice(before.length)];
}

/** How many verbs stand below. */
function below(path: readonly string[], program: Command): number {
  let command = program;
  for (const word of path) command = command.commands.find((its) => its.name() === word)!;
  return command.commands.length;
}

function helpFor(words: readonly string[], program: Command): string[] {
  const verbs = words.filter((word) => !word.startsWith("-"));
  if (verbs.length === 0 || verbs[0] === "help") return ["--help"];
  const { path, unknown, extra } = walk(verbs, program);
  if (unknown !== undefined) return [...path, unknown];
  if (extra !== undefined) {
    const verb = path.join(" ");
    const what = `${verb} has no command ${printable(extra, 100)}`;
    throw new UsageError([`${what}; see: localhostess ${verb} --help`]);
  }
  return [...path, "--help"];
}

type Walked = {
  path: string[];
  /** The first word that should be a verb, and is none. */
  unknown: string | undefined;
  /** The first word behind a verb that has no verbs below it. */
  extra: string | undefined;
};

/** Along the verbs that stand below each other, up to an option or to the last verb. */
function walk(words: readonly string[], program: Command): Walked {
  const path: string[] = [];
  let command = program;
  for (const word of words) {
    if (word.startsWith("-")) break;
    if (command.commands.length === 0) return { path, unknown: undefined, extra: word };
    const next = command.commands.find((its) => its.name() === word);
    if (next === undefined) return { path, unknown: word, extra: undefined };
    path.push(word);
    command = next;
  }
  return { path, unknown: undefined, extra: undefined };
}
