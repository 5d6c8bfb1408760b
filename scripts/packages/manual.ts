/** The grammar of the command line -> manual pages: one for the program, and one for each verb, from their `--help`. */
import type { Command } from "commander";

export type ManualOptions = {
  version: string;
  /** As `2026-11-30`. */
  date: string;
  /** The text that `--help` prints for a verb, in lines as long as they are. */
  helpOf(command: Command): string;
};

/** A page's file name -> its text. */
export type Pages = Readonly<Record<string, string>>;

export function manualPages(program: Command, options: ManualOptions): Pages {
  const verbs = visible(program);
  const pages: Record<string, string> = {
    [`${program.name()}.1`]: page(program, [], verbs, options),
  };
  for (const verb of verbs) {
    const below = visible(verb);
    pages[`${program.name()}-${verb.name()}.1`] = page(verb, [program], below, options);
  }
  return pages;
}

/** Without hidden ones, and without the `help` that each group of verbs has. */
function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((its) => its.name() !== "help");
}

function page(
  command: Command,
  parents: readonly Command[],
  below: readonly Command[],
  options: ManualOptions,
): string {
  const names = [...parents, command].map((its) => its.name());
  const name = names.join("-");
  const isProgram = parents.length === 0;
  const program = names[0]!;
  const help = command.createHelp();
  const lines = [
    `.TH "${name.toUpperCase()}" 1 "${options.date}" "${program} ${options.version}"`,
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(short(command.description()))}`,
    ".SH SYNOPSIS",
    ...synopsis(command, names),
    ...(below.length === 0 || isProgram
      ? []
      : below.flatMap((its) => [".br", ...synopsis(its, [...names, its.name()])])),
    ".SH DESCRIPTION",
    text(sentence(command.description())),
    ...entries(help.visibleArguments(command), {
      title: "ARGUMENTS",
      term: (its) => help.argumentTerm(its),
      meaning: (its) => help.argumentDescription(its),
    }),
    ...entries(help.visibleOptions(command), {
      title: "OPTIONS",
      term: (its) => help.optionTerm(its),
      meaning: (its) => help.optionDescription(its),
    }),
    ...(isProgram ? verbList(command, below) : below.flatMap((its) => section(its, names))),
    ...afterHelp(command, options),
    ...(isProgram ? [] : [...below.flatMap((its) => afterHelp(its, options, its.name()))]),
    ".SH SEE ALSO",
    isProgram
      ? below.map((its) => `.BR ${escaped(`${name}-${its.name()}`)} (1)`).join(",\n")
      : `.BR ${escaped(program)} (1)`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A page begins its list of verbs with their heading in `--help`. */
function verbList(program: Command, verbs: readonly Command[]): string[] {
  const lines: string[] = [".SH COMMANDS"];
  let heading = "";
  for (const verb of verbs) {
    if (verb.helpGroup() !== heading) {
      heading = verb.helpGroup();
      lines.push(`.SS ${escaped(heading.replace(/:$/, ""))}`);
    }
    lines.push(".TP", `.BR ${escaped(`${program.name()}-${verb.name()}`)} (1)`);
    lines.push(text(verb.description()));
  }
  return lines;
}

/** A verb below a verb, within the page of the upper one. */
function section(command: Command, names: readonly string[]): string[] {
  const help = command.createHelp();
  return [
    `.SH "${escaped([...names.slice(1), command.name()].join(" ").toUpperCase())}"`,
    text(sentence(command.description())),
    ...entries(help.visibleArguments(command), {
      term: (its) => help.argumentTerm(its),
      meaning: (its) => help.argumentDescription(its),
    }),
    ...entries(help.visibleOptions(command), {
      term: (its) => help.optionTerm(its),
      meaning: (its) => help.optionDescription(its),
    }),
  ];
}

function synopsis(command: Command, names: readonly string[]): string[] {
  const usage = command.usage();
  return [`.B ${escaped(names.join(" "))}`, ...(usage === "" ? [] : [escaped(usage)])];
}

type Entries<T> = {
  title?: string;
  term(its: T): string;
  meaning(its: T): string;
};

function entries<T>(all: readonly T[], { title, term, meaning }: Entries<T>): string[] {
  if (all.length === 0) return [];
  return [
    ...(title === undefined ? [] : [`.SH ${title}`]),
    ...all.flatMap((its) => [".TP", `.B ${escaped(term(its))}`, text(meaning(its))]),
  ];
}

/** The help's part behind the lists, with its lines as they are: notes and examples. */
function afterHelp(command: Command, { helpOf }: ManualOptions, of?: string): string[] {
  const own = command.helpInformation();
  const all = helpOf(command);
  const rest = (all.startsWith(own) ? all.slice(own.length) : "").trim();
  if (rest === "") return [];
  const title = of === undefined ? "NOTES" : `NOTES ON ${of.toUpperCase()}`;
  return [`.SH "${title}"`, ".nf", ...rest.split("\n").map(line), ".fi"];
}

function short(description: string): string {
  return description.replace(/\.$/, "");
}

function sentence(description: string): string {
  const first = description.charAt(0).toUpperCase() + description.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function text(paragraph: string): string {
  return paragraph === "" ? "\\&" : paragraph.split("\n").map(line).join("\n");
}

/** A line that roff does not take for a request. */
function line(its: string): string {
  const safe = escaped(its);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function escaped(its: string): string {
  return its
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("`", "\\(ga")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll('"', "\\(dq");
}
