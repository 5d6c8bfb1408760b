/** A command line -> the program, and the tool or the file of the person that it runs. Pure. */

export type CommandWords = {
  /** As far as it is looked at. */
  command: string;
  /** Without its folder, version and ending: `python` of `/usr/bin/python3.12`. */
  program: string;
  /**
   * The package, the module or the installed script that the program runs: `vite` of
   * `node /srv/shop/node_modules/.bin/vite`. The program itself where it runs nothing else.
   */
  tool: string | undefined;
  /** The file of the person's own that it runs, from the folder: `server/api.ts`. */
  script: string | undefined;
  /** The words after the tool or the script. */
  rest: readonly string[];
  /** Paths of the program and of what it runs. */
  paths: readonly string[];
  /** Whether the program itself is the person's own: it was built in the folder. */
  own: boolean;
};

/** Characters; far more than a person types, and less than a class path. */
const longest = 4096;

type Options = { values: readonly string[]; runs?: RegExp };

/** By interpreter: options that are followed by a value, and subcommands before a script. */
const interpreters = new Map<string, Options>(
  Object.entries({
    node: { values: ["-r", "--require", "--import", "--loader", "--experimental-loader", "-C"] },
    bun: { values: ["-r", "--preload", "--cwd", "--config", "-c"], runs: /^(?:run|x)$/ },
    deno: { values: ["-c", "--config"], runs: /^(?:run|serve|task)$/ },
    tsx: { values: ["--tsconfig", "--import", "--require"], runs: /^watch$/ },
    "ts-node": { values: ["-P", "--project", "-r", "--require"] },
    python: { values: ["-W", "-X", "-Q"] },
    pypy: { values: ["-W", "-X"] },
    uv: { values: ["--python", "-p", "--with"], runs: /^run$/ },
    ruby: { values: ["-I", "-r", "-C", "-E"] },
    bundle: { values: [], runs: /^exec$/ },
    perl: { values: ["-I"] },
    php: { values: ["-d", "-c", "-t", "-S"] },
    java: { values: ["-cp", "-classpath", "--class-path", "-p", "--module-path"] },
    dotnet: { values: ["--project"], runs: /^(?:run|exec|watch)$/ },
    sh: { values: [] },
    bash: { values: [] },
  }),
);

const aliases = new Map([
  ["nodejs", "node"],
  ["dash", "sh"],
  ["jruby", "ruby"],
]);

/** Folders of installed programs, up to the name. */
const packaged = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)(?:\/|$)/;
const binned = /\/node_modules\/\.bin\/([^/]+)$/;
const gem = /\/gems\/(.+?)-\d[^/]*\//;
const virtual =
  /\/(?:\.?venv|env|virtualenvs\/[^/]+|pypoetry\/virtualenvs\/[^/]+|site-packages|\.local)\/(?:.*\/)?/;

/** Files of a person that every project of a framework has: the framework is what they know. */
const ownTools = new Map<string, string>(
  Object.entries({
    "manage.py": "django",
    "bin/rails": "rails",
    "script/rails": "rails",
    artisan: "artisan",
    "bin/console": "symfony",
    "bin/shakapacker-dev-server": "webpack",
    "bin/webpack-dev-server": "webpack",
    "bin/vite": "vite",
  }),
);

/** `folders`: the process's own, and its project's. */
export function commandWords(full: string, folders: readonly string[]): CommandWords {
  const command = full.slice(0, longest);
  const words = command.split(" ").filter((word) => word !== "");
  const path = words[0] ?? "";
  const program = programIn(path);
  const its = interpreters.get(program);
  const whole = { command, program };
  if (its === undefined) {
    const installed = installedTool(path);
    const within = installed === undefined ? ownFile(path, folders) : undefined;
    // `go run` builds into a folder of its own.
    const own = within !== undefined || /\/go-build\d*\//.test(path);
    const tool = own ? ownTools.get(within ?? "") : (installed ?? program);
    const paths = tool === undefined ? [path] : [path, tool];
    return { ...whole, tool, script: undefined, rest: words.slice(1), paths, own };
  }
  const at = scriptAt(words, { program, ...its });
  const word = words[at];
  const plain = { ...whole, tool: undefined, script: undefined, own: false };
  if (word === undefined) return { ...plain, rest: words.slice(1), paths: [path] };
  const rest = words.slice(at + 1);
  if (words[at - 1] === "-m") {
    return { ...plain, tool: word.split(".")[0], rest, paths: [path, word] };
  }
  const installed = installedTool(word);
  const script = installed === undefined ? ownFile(word, folders) : undefined;
  const tool = installed ?? (script === undefined ? baseOf(word) : ownTools.get(script));
  const paths = [path, word, ...(tool === undefined ? [] : [tool])];
  return { ...plain, tool, script, rest, paths };
}

function baseOf(path: string): string {
  return path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/\.(?:[cm]?[jt]sx?|py|rb|pl|php|jar|exe|dll|sh)$/, "");
}

/** `nginx:` of a title, `php8.2`, `python3.11`, `ruby3.1`, and `node.exe` of npm's packages. */
function programIn(path: string): string {
  const base = path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/:$|\.exe$/, "")
    .replace(/^-/, "");
  const plain = base.replace(/^(python|pypy|ruby|php|perl|node|java)-?\d[\d.]*$/, "$1");
  return aliases.get(plain) ?? plain;
}

type Interpreter = Options & { program: string };

/** The place of the word that it runs; beyond the last where there is none. */
function scriptAt(words: readonly string[], { program, values, runs }: Interpreter): number {
  for (let at = 1; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-m" && program === "python") return at + 1;
    if (word === "-jar") return at + 1;
    if (word === "-S" && program === "ruby") continue;
    // Code in the command line itself is no file.
    if (/^(?:-e|--eval|-p|--print|-c)$/.test(word) && !values.includes(word)) return words.length;
    if (values.includes(word)) at++;
    else if (!word.startsWith("-") && !(runs?.test(word) ?? false)) return at;
  }
  return words.length;
}

function installedTool(path: string): string | undefined {
  const [, bin] = binned.exec(path) ?? [];
  const [, pack] = packaged.exec(path) ?? [];
  const [, ruby] = gem.exec(path) ?? [];
  return bin ?? pack ?? ruby ?? (virtual.test(path) ? baseOf(path) : undefined);
}

/** The path from the folder; undefined for a file of another place. */
function ownFile(path: string, folders: readonly string[]): string | undefined {
  if (!path.startsWith("/"))
    return /^\.?\.?\/|[/.]/.test(path) ? path.replace(/^\.\//, "") : undefined;
  const folder = folders.find((its) => path.startsWith(`${its}/`));
  return folder === undefined ? undefined : path.slice(folder.length + 1);
}

/** Managers of packages, of which somebody has a script run. */
const managers = /^(?:npm|pnpm|yarn|bun|deno|task|just|make|gmake|rake|npx|turbo|nx|lerna|wireit)$/;
/** One of them is among the first two words. Asked of many commands, so that few are split. */
const managed =
  /^(?:\S+ )?\S*(?:np[mx]|yarn|bun|deno|task|just|make|rake|turbo|nx|lerna|wireit)[^\s/]*(?: |$)/;
/** Their words before a script's name. */
const verbs = /^(?:run|run-script|rum|exec|task|-s|--silent|--if-present|--bun|--)$/;
/** Parts of a script's name that say only that it starts a server. */
const starting =
  /^(?:dev|develop|development|start|serve|server|watch|run|local|preview|up|hot|debug|prod|production|all|ci|fast|https?|port|host|\d+|npm|node|bun|ts)$/;

/**
 * The word that a script's name adds, of the command that has it run: `api` of `npm run dev:api`, nothing of `npm run
 * dev`.
 */
export function scriptWord(command: string): string | undefined {
  if (!managed.test(command.slice(0, 300))) return undefined;
  const words = command
    .slice(0, longest)
    .split(" ")
    .filter((word) => word !== "");
  let at = 0;
  // pnpm and yarn are scripts of Node.
  if (programIn(words[0] ?? "") === "node" && words[1] !== undefined) at = 1;
  const manager = baseOf(words[at] ?? "").replace(/-cli$/, "");
  if (!managers.test(manager)) return undefined;
  for (const word of words.slice(at + 1)) {
    if (verbs.test(word) || word.startsWith("-")) continue;
    // A file or a package, and not a script.
    if (/[./@=]/.test(word)) return undefined;
    const parts = word.split(/[:_-]/).filter((part) => part !== "" && !starting.test(part));
    return parts.length === 0 ? undefined : parts.join("-").toLowerCase();
  }
  return undefined;
}
