/**
 * The compiled program, in each way to compile it, beside the clone run by Bun -> processor time and wall time of short
 * commands, and sizes. By hand: `bun test/bench/start.ts [rounds]`.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ownPlatform } from "../../scripts/packages/platforms.ts";
import { compile, compileOptions } from "../../scripts/packages/program.ts";
import { median } from "./median.ts";
import { rounds } from "./rounds.ts";

const root = resolve(import.meta.dir, "../..");
const count = Number(process.argv[2] ?? 15);

/** Options besides those of a release, or instead of them. */
const ways: Readonly<Record<string, readonly string[]>> = {
  "as released": compileOptions,
  "without --minify": compileOptions.filter((its) => its !== "--minify"),
  "without --splitting": compileOptions.filter((its) => its !== "--splitting"),
  "with --bytecode": [...compileOptions, "--bytecode", "--format=esm"],
};

type Sample = { wall: number; cpu: number };

const directory = mkdtempSync(join(tmpdir(), "localhostess-start-"));
const env = { ...process.env, LOCALHOSTESS_STATE_DIR: join(directory, "state") };

/** Milliseconds. */
async function measured(words: readonly string[]): Promise<Sample> {
  const began = performance.now();
  const { resourceUsage, exitCode } = Bun.spawnSync([...words], { cwd: directory, env });
  if (exitCode !== 0) throw new Error(`${words.join(" ")} ended with ${exitCode}`);
  const { user, system } = resourceUsage.cpuTime;
  return { wall: performance.now() - began, cpu: Number(user + system) / 1_000 };
}

try {
  mkdirSync(env.LOCALHOSTESS_STATE_DIR);
  const programs = new Map<string, string>([["the clone, by Bun", join(root, "bin/localhostess")]]);
  for (const [at, [way, options]] of Object.entries(ways).entries()) {
    const out = join(directory, String(at));
    programs.set(way, await compile(ownPlatform(), { root, out, options }));
  }
  const rows: string[][] = [["", "size", "version", "", "ls", ""]];
  const samples = new Map<string, Map<string, Sample[]>>();
  for (const verb of ["version", "ls"]) {
    const all = await rounds([...programs.keys()], count, (name) =>
      measured([programs.get(name)!, verb]),
    );
    samples.set(verb, all);
  }
  for (const [name, program] of programs) {
    const cells = ["version", "ls"].flatMap((verb) => {
      const its = samples.get(verb)!.get(name)!;
      const [cpu, wall] = [its.map((one) => one.cpu), its.map((one) => one.wall)];
      return [`${median(cpu).toFixed(0)} ms CPU`, `${median(wall).toFixed(0)} ms`];
    });
    const size = statSync(program).size;
    rows.push([name, size < 1e6 ? "" : `${(size / 2 ** 20).toFixed(1)} MiB`, ...cells]);
  }
  for (const row of rows)
    console.log(row.map((cell, at) => cell.padEnd(at === 0 ? 30 : 14)).join(""));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
