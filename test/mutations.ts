/**
 * Faults that take a guard away -> whether a test sees each of them. By hand, and once before a release; not in
 * CI, as it takes long.
 */
import { chmod, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Fault } from "./mutations/fault.ts";
import { faults } from "./mutations/faults.ts";
import { type Run, type Tests, type Workspace, workspace } from "./mutations/workspace.ts";

const usage = `bun test/mutations.ts [--only <text>] [--list] [--jobs <number>]
--only: the faults whose name, file or test has the text; --jobs: how many at once, 1 by default`;

/** Seconds that a run may take: a fault may well make a test wait for what never comes. */
const limitOf = (clean: Run): number => 30 + 5 * clean.seconds;
/** Seconds for the tests as they stand. */
const cleanLimit = 600;

type Verdict = {
  word: "found" | "hung" | "survived" | "stale" | "unsound" | "not tried";
  /** More to say than the word does. */
  why?: string;
};

/** Words that mean: the table, or the suite, has to be mended. */
const wrong: readonly Verdict["word"][] = ["survived", "stale", "unsound"];

const possible = process.getuid?.() === 0 && Bun.which("setpriv") !== null;

/** `clean`: how the same tests fare without a fault. */
async function tried(
  fault: Fault,
  { its, clean }: { its: Workspace; clean(tests: Tests, its: Workspace): Promise<Run> },
): Promise<Verdict> {
  if (fault.needs !== undefined && !possible) {
    return { word: "not tried", why: "its test needs another user: run as root, with setpriv" };
  }
  const before = await clean(fault, its);
  if (before.kind !== "passed") {
    return { word: "unsound", why: `without the fault, its tests do not pass\n${tailOf(before)}` };
  }
  const made = await its.plant(fault);
  if (made.kind === "stale") return { word: "stale", why: made.why };
  const run = await its.run(fault, limitOf(before)).finally(() => made.mend());
  if (run.kind === "passed") return { word: "survived", why: fault.tests.join(", ") };
  if (run.kind === "hung") return { word: "hung", why: "the run did not end, and counts as found" };
  return run.named
    ? { word: "found" }
    : { word: "unsound", why: `no test failed by its name\n${tailOf(run)}` };
}

function tailOf({ output }: Run): string {
  return output.trim().split("\n").slice(-20).join("\n");
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      list: { type: "boolean", default: false },
      jobs: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 4 * availableParallelism()) {
    console.error(`--jobs ${values.jobs}: a small whole number is needed\n${usage}`);
    return 2;
  }
  const chosen = faults.filter(({ name, file, tests }) =>
    [name, file, ...tests].some((text) => text.includes(values.only)),
  );
  if (values.list) {
    for (const { name, file, tests } of chosen) {
      console.log(`${name}\n    ${file}, seen by ${tests.join(", ")}`);
    }
    return 0;
  }
  if (chosen.length === 0) {
    console.error(`no fault has ${JSON.stringify(values.only)} in its name, file or tests`);
    return 2;
  }

  const place = await mkdtemp(join(await realpath(tmpdir()), "lhm-"));
  await chmod(place, 0o755);
  const workspaces: Workspace[] = [];
  const end = () => Promise.all(workspaces.map((its) => its.end()));
  /** The exit code, once somebody has said that it is enough. */
  let leaving: number | undefined;
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      leaving = code;
      // What runs comes to an end by that, and is no verdict.
      void end();
    });
  }

  const runs = new Map<string, Promise<Run>>();
  const clean = ({ tests, only }: Tests, its: Workspace): Promise<Run> => {
    const key = JSON.stringify([tests, only]);
    const run =
      runs.get(key) ?? its.run(only === undefined ? { tests } : { tests, only }, cleanLimit);
    runs.set(key, run);
    return run;
  };
  const counts = new Map<Verdict["word"], number>();
  const root = resolve(import.meta.dir, "..");
  try {
    // All take from one list.
    const list = chosen.values();
    const work = async (number: number): Promise<void> => {
      const its = await workspace(root, await made(join(place, String(number))));
      workspaces.push(its);
      for (const fault of list) {
        if (leaving !== undefined) return;
        const { word, why } = await tried(fault, { its, clean });
        if (leaving !== undefined) return;
        counts.set(word, (counts.get(word) ?? 0) + 1);
        const line = `${word.padEnd(9)}  ${fault.file}: ${fault.name}`;
        console.log(why === undefined ? line : `${line}\n${why.replace(/^/gm, " ".repeat(11))}`);
      }
    };
    await Promise.all(Array.from({ length: jobs }, (_, number) => work(number)));
  } finally {
    await end();
    await rm(place, { recursive: true, force: true });
  }
  if (leaving !== undefined) return leaving;
  const summary = [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
  console.log(`\n${chosen.length} faults: ${summary}`);
  return wrong.some((word) => counts.has(word)) ? 1 : 0;
}

async function made(path: string): Promise<string> {
  await mkdir(path);
  return path;
}

if (import.meta.main) process.exit(await main());
