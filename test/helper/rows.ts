/** Rows of a table -> a test for each attack, and what has to hold of its outcome. */
import { expect, test } from "bun:test";
import type { Attack, Outcome } from "./world.ts";

/** Milliseconds: this machine may be busy. */
export const patience = 60_000;

/** `says`: the lines on stderr; nothing where it is left out. `hears`: the message on descriptor 3. */
export interface Expected {
  code: number;
  says?: RegExp | undefined;
  hears?: string | undefined;
}

export function holds(outcome: Outcome, { code, says, hears }: Expected): void {
  expect(outcome.code, outcome.err).toBe(code);
  expect(outcome.message?.text).toBe(hears);
  expect(outcome.err).toMatch(says ?? /^$/);
  // Whole lines, with nothing that a terminal would obey.
  expect(outcome.err).toMatch(/^([ -~]*\n)*$/);
}

export interface Row extends Expected {
  of: string;
  by: Partial<Attack>;
}

/** `checks`: what else has to hold behind each. */
export function rows(
  its: readonly Row[],
  { attack, checks }: { attack(by: Partial<Attack>): Promise<Outcome>; checks?(row: Row): void },
): void {
  for (const row of its) {
    test(
      row.of,
      async () => {
        holds(await attack(row.by), row);
        checks?.(row);
      },
      patience,
    );
  }
}

/** What a hostile caller may hand on without any effect. */
export const inherited: readonly { of: string; by: Partial<Attack> }[] = [
  {
    of: "LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH",
    by: {
      env: { LD_PRELOAD: "/mnt/evil.so", LD_LIBRARY_PATH: "/mnt", LD_AUDIT: "/mnt/evil.so" },
    },
  },
  {
    of: "GLIBC_TUNABLES",
    by: { env: { GLIBC_TUNABLES: "glibc.malloc.mxfast=glibc.malloc.mxfast=A" } },
  },
  {
    of: "PATH, TMPDIR, IFS, HOME",
    by: { env: { PATH: ".", TMPDIR: "/mnt", IFS: "/", HOME: "/mnt" } },
  },
  {
    of: "MUSL_LOCPATH, LANG, TZ",
    by: { env: { MUSL_LOCPATH: "/mnt", LANG: "../../x", TZ: ":/mnt/x" } },
  },
  { of: "variables of a hundred kilobytes", by: { env: { A: "x".repeat(100_000) } } },
  { of: "a mask that gives everybody everything", by: { umask: 0 } },
  { of: "a mask that forbids everything", by: { umask: 0o777 } },
  { of: "a folder that is deleted", by: { cwd: "deleted" } },
  { of: "signals that are ignored", by: { signals: "ignored" } },
  { of: "signals that are blocked", by: { signals: "blocked" } },
  { of: "no file may be written, for now", by: { limits: { FSIZE: [0, -1] } } },
  { of: "no time is left, for now", by: { limits: { CPU: [1, -1], RTTIME: [0, -1] } } },
  { of: "no process may be started", by: { limits: { NPROC: [0, 0] } } },
  { of: "no core, no memory to lock", by: { limits: { CORE: [0, 0], MEMLOCK: [0, 0] } } },
  { of: "a stack of 64 KiB", by: { limits: { STACK: [65_536, 65_536] } } },
  { of: "150 descriptors are open", by: { held: 150 } },
  { of: "the least of priorities", by: { nice: 19 } },
];

/** Limits with which the kernel or musl may end any program before its first line. */
export const deadly = ["NOFILE", "AS", "DATA", "STACK", "CPU"] as const;

/** What may come of those: an exit code, or a signal. */
export const deaths = [0, 1, 2, 98, -9, -11, -24];
