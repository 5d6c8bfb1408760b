/** The change since the last commit into the checks that take seconds: format, types, lint and the nearest tests. */
import { existsSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";

/** Folders and files of tests that are cheap, and that most mistakes meet first. */
const always = ["house.test.ts", "mutations.test.ts", "text", "wire", "routes", "manifest"];

/** Folders whose tests run real programs; they run here only where they changed themselves. */
const slow = ["e2e", "conformance", "soak", "cli", "dashboard"];

export type Affected = {
  /** Test files that changed, or that import a file which did. */
  tests: string[];
  /** The same, in folders that are left to the whole suite. */
  left: string[];
};

/**
 * `changed`: paths from the repository's root; `texts`: every test file's path and text. Imports of imports do not
 * count.
 */
export function affected(changed: readonly string[], texts: ReadonlyMap<string, string>): Affected {
  const paths = new Set(changed);
  const tests: string[] = [];
  const left: string[] = [];
  for (const [path, text] of [...texts].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (paths.has(path)) tests.push(path);
    else if (importsOf(path, text).some((its) => paths.has(its))) {
      const isSlow = slow.some((folder) => path.startsWith(`test/${folder}/`));
      (isSlow ? left : tests).push(path);
    }
  }
  return { tests, left };
}

/** The files of this repository that `text` imports, from its root. */
function importsOf(path: string, text: string): string[] {
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...specifiers].map(([, its]) => normalize(join(dirname(path), its!)));
}

const root = resolve(import.meta.dir, "..");

type Step = { name: string; command: string[] };
type Outcome = { name: string; passed: boolean; seconds: number; output: string };

async function run({ name, command }: Step): Promise<Outcome> {
  const begun = performance.now();
  const child = Bun.spawn(command, { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  const seconds = (performance.now() - begun) / 1_000;
  return { name, passed: code === 0, seconds, output: out + err };
}

async function linesOf(...command: string[]): Promise<string[]> {
  const child = Bun.spawn(command, { cwd: root, stdin: "ignore", stdout: "pipe" });
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed`);
  return text.split("\n").filter((line) => line !== "");
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function told({ name, passed, seconds, output }: Outcome): string {
  const line = `${passed ? "ok    " : "FAILED"}  ${name.padEnd(8)}${seconds.toFixed(1).padStart(5)} s`;
  const summary = /^Ran .*$/m
    .exec(output)?.[0]
    .replace(/ \[.*\]$/, "")
    .replace(/\.$/, "");
  return `${line}${summary === undefined ? "" : `  ${summary}`}${passed ? "" : `\n\n${output}`}`;
}

async function main(): Promise<boolean> {
  const begun = performance.now();
  const changed = [
    ...(await linesOf("git", "diff", "--name-only", "HEAD")),
    ...(await linesOf("git", "ls-files", "--others", "--exclude-standard")),
  ];
  const files = [...new Bun.Glob("test/**/*.test.ts").scanSync(root)];
  const texts = new Map(
    await Promise.all(
      files.map(async (path) => [path, await Bun.file(join(root, path)).text()] as const),
    ),
  );
  const { tests, left } = affected(changed, texts);
  const usual = always.map((path) => `test/${path}`).filter((path) => existsSync(join(root, path)));
  const near = counted(tests.length, "test file");
  console.log(`${counted(changed.length, "changed file")}; ${near} changed or import them`);

  const program = (name: string): string => join(root, "node_modules/.bin", name);
  const bun = program("bun");
  const steps: Step[] = [
    { name: "format", command: [bun, "fmt", "--check"] },
    { name: "types", command: [bun, "check", "--no-script", "--build"] },
    { name: "lint", command: [program("biome"), "lint", "--error-on-warnings"] },
    {
      name: "tests",
      command: [
        bun,
        "test",
        "--parallel=2",
        "--timeout=30000",
        "--only-failures",
        ...usual,
        ...tests,
      ],
    },
  ];
  const outcomes = await Promise.all(
    steps.map(async (step) => {
      const outcome = await run(step);
      console.log(told(outcome));
      return outcome;
    }),
  );
  if (left.length > 0) {
    console.log(`\nleft to npm test, as they run real programs: ${left.join(" ")}`);
  }
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  const failed = outcomes.filter(({ passed }) => !passed).map(({ name }) => name);
  const verdict = failed.length === 0 ? "all passed" : `failed: ${failed.join(", ")}`;
  console.log(`\n${verdict} in ${seconds} s; npm run ok checks everything`);
  return failed.length === 0;
}

if (import.meta.main) process.exit((await main()) ? 0 : 1);
