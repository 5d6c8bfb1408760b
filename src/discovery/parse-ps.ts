/** The output of one `ps` call for all processes -> pid, parent, start time, command and NAME. Pure. */
import { portIn } from "../routes/pick-port.ts";

export type PsProcess = {
  pid: number;
  parent: number;
  group: number;
  uid: number;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  command: string;
  /** `LOCALHOSTESS_NAME`, or else `NAME`; undefined if neither is set, or if the environment is hidden from us. */
  name: string | undefined;
  variable?: "LOCALHOSTESS_NAME" | "NAME";
  /** Its environment is empty, or hidden from us: macOS hides those of its own programs, `/usr/bin/ruby` among them. */
  unreadable?: true;
  /** `PORT` from the environment. */
  wantedPort?: number | undefined;
};

/** `linux`: procps. `macos`: BSD. They differ in how the end of the arguments is found. */
export type PsDialect = "linux" | "macos";

/**
 * The arguments for each dialect. Every column has its own `-o`, because POSIX takes everything after `=` as a heading.
 *
 * On Linux, the option `e` adds the environment to the short name (`comm`) as well as to the arguments. So the line has
 * the beginning of the environment twice: 160 characters of it after the short name, which has no arguments, and all of
 * it after the arguments. Comparing the two separates arguments and environment exactly.
 */
export const psArguments: Record<PsDialect, readonly string[]> = {
  linux: ["axwwe", ...columns("pid", "comm:160", "ppid", "pgid", "uid", "lstart", "args")],
  macos: ["-axEww", ...columns("pid", "ppid", "pgid", "uid", "lstart", "command")],
};

function columns(...names: string[]): string[] {
  return names.flatMap((name) => ["-o", `${name}=`]);
}

const start = String.raw`(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) ([A-Z][a-z]{2}) +(\d+) (\d\d):(\d\d):(\d\d) (\d{4})`;
const numbers = String.raw`(\d+) +(\d+) +(-?\d+) +${start}`;

const lines: Record<PsDialect, RegExp> = {
  // Columns: pid, short name with environment, ppid, pgid, uid, start, arguments with environment
  linux: new RegExp(String.raw`^ *(\d+) (.*?) +${numbers} (.*)$`),
  macos: new RegExp(String.raw`^ *(\d+)( +)${numbers} (.*)$`),
};

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A word that may begin an environment variable. */
const variable = /^[A-Za-z_][^\s=]*=/;

/**
 * ps joins everything with spaces, so the end of a value with spaces is ambiguous. Rule: a value ends before the next
 * word that looks like a variable. The rule only fails for a NAME that contains such a word, and that is not a valid
 * name anyway.
 *
 * Several words may look like NAME, because other values contain spaces too: npm puts the text of the script it runs
 * (`dev=1 NAME=api vite`) into `npm_lifecycle_script`. A word after that variable counts only if there is no other; of
 * the others, the last one counts.
 */
export function nameInText(environment: string): Pick<PsProcess, "name" | "variable"> {
  for (const variable of ["LOCALHOSTESS_NAME", "NAME"] as const) {
    const name = valueInText(environment, variable);
    if (name) return { name, variable };
  }
  return { name: valueInText(environment, "NAME") };
}

function valueInText(environment: string, sought: string): string | undefined {
  let found: string | undefined;
  let doubtful: string | undefined;
  let before = "";
  let value: string[] | undefined;
  const end = () => {
    if (value === undefined) return;
    if (before === "npm_lifecycle_script") doubtful = value.join(" ");
    else found = value.join(" ");
    value = undefined;
  };
  for (const word of environment.split(" ")) {
    const key = variable.exec(word)?.[0].slice(0, -1);
    if (key === undefined) {
      value?.push(word);
      continue;
    }
    end();
    if (key === sought) value = [word.slice(key.length + 1)];
    else before = key;
  }
  end();
  return found ?? doubtful;
}

/** Arguments and environment of a Linux line, both exact. */
function splitLinux(short: string, line: string): { command: string; environment: string } {
  // The short name has at most 15 bytes and may contain spaces itself.
  for (let at = short.indexOf(" "); at !== -1 && at <= 16; at = short.indexOf(" ", at + 1)) {
    const beginning = short.slice(at + 1).trimEnd();
    if (!/^[^\s=]+=/.test(beginning)) continue;
    const found = line.indexOf(` ${beginning}`);
    if (found !== -1) {
      return { command: line.slice(0, found), environment: line.slice(found + 1) };
    }
  }
  return { command: line, environment: "" };
}

/**
 * Arguments and environment of a macOS line. There is no way to tell where one ends and the other begins, so the
 * command is cut before the first word that looks like a variable: an argument may be hidden, but no secret of the
 * environment is ever shown. NAME is searched in everything that follows; the environment comes last, so its NAME
 * overrides an argument's.
 */
function splitMacos(line: string): { command: string; environment: string } {
  const words = line.split(" ");
  const first = words.findIndex((word, at) => at > 0 && variable.test(word));
  if (first === -1) return { command: line, environment: "" };
  return { command: words.slice(0, first).join(" "), environment: words.slice(first).join(" ") };
}

/** Lines in any other format are skipped: a newline inside a value ends the line early. */
export function parsePs(text: string, dialect: PsDialect): PsProcess[] {
  const processes: PsProcess[] = [];
  for (const line of text.split("\n")) {
    const found = lines[dialect].exec(line);
    if (found === null) continue;
    const [, pid, short, parent, group, uid, month, day, hour, minute, second, year, rest] = found;
    const { command, environment } =
      dialect === "linux" ? splitLinux(short!, rest!) : splitMacos(rest!);
    processes.push({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      uid: Number(uid),
      // ps is run with TZ=UTC0.
      startedAt: Date.UTC(
        Number(year),
        months.indexOf(month!),
        Number(day),
        Number(hour),
        Number(minute),
        Number(second),
      ),
      command: command.trimEnd(),
      ...nameInText(environment),
      ...(environment === "" ? { unreadable: true as const } : {}),
      wantedPort: portIn(valueInText(environment, "PORT")),
    });
  }
  return processes;
}
