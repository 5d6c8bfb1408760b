/**
 * The whole suite, its files side by side; a file that fails among others is run once more, by itself. Real browsers,
 * engines and databases on a busy machine fail now and then where the code under test does not: whatever passes by
 * itself is told at the end, by name, and is still somebody's to find.
 */
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { spawn } from "node:child_process";

/** A machine on which so many files fail has another trouble than a busy moment. */
const mostAgain = 12;

const root = resolve(import.meta.dir, "..");

/** Lines of `bun test` -> the files in which something failed, as they are printed. */
export class FailedFiles {
  readonly found = new Set<string>();
  /** The file whose lines these are. */
  #current: string | undefined;

  line(text: string): void {
    const plain = Bun.stripANSI(text).trimEnd();
    const header = /^(\S+\.test\.tsx?):$/.exec(plain);
    if (header !== null) {
      this.#current = header[1];
      return;
    }
    // Titles are repeated at the end, of all files.
    if (/^\d+ tests? (?:failed|skipped)/.test(plain)) this.#current = undefined;
    const crashed = /^✗ (\S+\.test\.tsx?) /.exec(plain);
    const isFailure = /^\(fail\) |^✗ |^# Unhandled error/.test(plain);
    const file = crashed?.[1] ?? this.#current;
    if (isFailure && file !== undefined) this.found.add(file);
  }
}

type Ended = { code: number; failed: readonly string[] };

async function run(args: readonly string[]): Promise<Ended> {
  const files = new FailedFiles();
  const child = spawn(process.execPath, ["test", "--timeout=30000", ...args], {
    cwd: root,
    stdio: ["inherit", "pipe", "pipe"],
  });
  const read = (from: Readable, to: NodeJS.WriteStream): void => {
    let rest = "";
    from.on("data", (bytes: Buffer) => {
      to.write(bytes);
      const lines = (rest + bytes.toString("latin1")).split("\n");
      rest = lines.pop()!;
      for (const line of lines) files.line(Buffer.from(line, "latin1").toString());
    });
    from.on("end", () => files.line(rest));
  };
  read(child.stdout, process.stdout);
  read(child.stderr, process.stderr);
  const code = await new Promise<number>((end) => child.on("close", (its) => end(its ?? 1)));
  return { code, failed: [...files.found] };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) return (await run(args)).code;
  const { code, failed } = await run(["--parallel=3", "--timings=test/timings.json"]);
  if (code === 0 || failed.length === 0 || failed.length > mostAgain) return code;
  const bad: string[] = [];
  for (const file of failed) {
    console.log(`\n${file} failed among others; once more, by itself:\n`);
    if ((await run([file])).code !== 0) bad.push(file);
  }
  const passed = failed.filter((file) => !bad.includes(file));
  if (passed.length > 0) {
    console.log(`\nfailed among others, and passed by themselves:\n  ${passed.join("\n  ")}`);
  }
  if (bad.length > 0) console.log(`\nfailed, and failed again:\n  ${bad.join("\n  ")}`);
  return bad.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
