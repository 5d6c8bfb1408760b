/** A command line as the system has it -> as a person typed it, or would type it. Pure. */
import { pastedWord } from "./shell-words.ts";

/** A path inside the folder, as it is typed there; undefined for any other word. */
function within(word: string, folder: string | undefined): string | undefined {
  // In `/` every path would lose its first character.
  if (folder === undefined || folder === "/") return undefined;
  return word.startsWith(`${folder}/`) ? word.slice(folder.length + 1) : undefined;
}

/** `node` of `/usr/bin/node server.js`; npm's package of Bun has a program with an ending of Windows. */
export function programOf(command: string): string {
  const [program = ""] = command.slice(0, longestLook).split(" ", 1);
  return program.slice(program.lastIndexOf("/") + 1).replace(/\.exe$/, "");
}

/** Characters that are looked at: far more than are shown. */
const longestLook = 4_096;

/** `folder`: its working directory. */
function shortWords(command: string, folder: string | undefined): string[] {
  const [program = "", ...rest] = command.slice(0, longestLook).split(" ");
  const own = within(program, folder);
  // The shell looks for a word without a slash in PATH.
  const local = own === undefined || own.includes("/") ? own : `./${own}`;
  const first = local ?? programOf(command);
  return [first || program, ...rest.map((word) => within(word, folder) ?? word)];
}

/** Programs that run another one, and folders from which packages are run: the package is what a person knows. */
const interpreter = /^(?:node|bun|deno|python[\d.]*|ruby[\d.]*|perl)$/;
const installed = /(?:^|\/)(?:node_modules|\.?venv|site-packages|gems)\/(?:.*\/)?([^/]+)$/;

/**
 * To be shown: `/usr/bin/node /srv/api/server.js --port 3000`, in /srv/api -> `node server.js --port 3000`, and
 * `node /srv/api/node_modules/.bin/vite` -> `vite`.
 */
export function shortCommand(command: string, folder: string | undefined): string {
  const [first = "", second = "", ...rest] = shortWords(command, folder);
  const program = programOf(first);
  const own = interpreter.test(program) ? installed.exec(second)?.[1] : undefined;
  if (own !== undefined) return [own.replace(/\.[cm]?js$/, ""), ...rest].join(" ");
  const shown = installed.test(first) ? program : first;
  return [shown, ...(second === "" ? [] : [second]), ...rest].join(" ");
}

/** Characters; a longer command is copied from where it was typed, and not from a list. */
const longest = 200;

/**
 * A command that does the same when it is pasted into a shell in the folder: words are quoted, as the text is another
 * program's. Undefined where the text is no command: a title that the program has given itself, or nothing that anyone
 * would type. `command` has to be unchanged: what is shown of it may be escaped already.
 */
export function typedCommand(command: string, folder: string | undefined): string | undefined {
  if (command.length > longest) return undefined;
  const words = shortWords(command, folder);
  // `nginx: master process nginx`, and the `[name]` of a process without arguments.
  if (/^\[|:$|^$/.test(words[0]!)) return undefined;
  // An assignment before a command sets a variable of it, such as the files that it loads.
  if (command.split(" ", 1)[0]!.includes("=")) return undefined;
  return words
    .filter((word) => word !== "")
    .map(pastedWord)
    .join(" ");
}

/**
 * A command in several lines that a shell reads as one, broken between its words, one of which may be longer than a
 * line. `columns`: of each line.
 */
export function foldedCommand(command: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of command.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    // Room for the mark of a line that goes on.
    if (line.trim() === "" || longer.length + 2 <= columns) {
      line = longer;
      continue;
    }
    lines.push(`${line} \\`);
    line = `  ${word}`;
  }
  return [...lines, line];
}
