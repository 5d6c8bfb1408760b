/** A program, its arguments and its environment -> that program in the place of this process. execve(2); uses libc. */
import { ptr } from "bun:ffi";
import { bytesOf } from "./byte-text.ts";
import { libc } from "./libc.ts";

const signatures = {
  execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  sigemptyset: { args: ["ptr"], returns: "i32" },
  sigprocmask: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  signal: { args: ["i32", "u64"], returns: "u64" },
  chdir: { args: ["ptr"], returns: "i32" },
} as const;

/** sigprocmask(2): Linux; macOS. */
const setMask = { linux: 2, darwin: 3 } as const;
const SIG_DFL = 0n;
/** Signals that a runtime may have changed, and that a program of its own expects as they usually are. */
const restored = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGPIPE: 13, SIGTERM: 15 } as const;
/** Bytes of a sigset_t, with glibc and with musl. */
const setLength = 128;

export type ExecOptions = {
  /** The program's absolute path, and its arguments. */
  words: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  /** Absolute. */
  workdir: string;
};

/**
 * The process keeps its pid, its parent, and standard input, output and error. Returns only where that cannot be: with
 * a clause.
 */
export function execInPlace({ words, env, workdir }: ExecOptions): string {
  const calls = libc(signatures);
  if (calls === undefined) return "no C library can be loaded";
  const kept: Buffer[] = [];
  const listOf = (texts: readonly string[]): BigUint64Array => {
    const texts0 = texts.map((text) => Buffer.from(bytesOf(`${text}\0`)));
    kept.push(...texts0);
    return new BigUint64Array([...texts0.map((its) => BigInt(ptr(its))), 0n]);
  };
  if (calls.chdir(Buffer.from(`${workdir}\0`)) !== 0) return `${workdir} cannot be entered`;
  const argv = listOf(words);
  const environment = listOf(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const set = new Uint8Array(setLength);
  calls.sigemptyset(set);
  calls.sigprocmask(process.platform === "darwin" ? setMask.darwin : setMask.linux, set, null);
  for (const number of Object.values(restored)) calls.signal(number, SIG_DFL);
  calls.execve(Buffer.from(`${words[0]}\0`), argv, environment);
  return `${words[0]} cannot be run`;
}
