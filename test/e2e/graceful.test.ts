/** Command lines that people write, ended in each way: the program has its second, and its own exit is shown. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { common, type Graceful, graceful, rare } from "../support/graceful.ts";
import { describeWith } from "../support/with-programs.ts";

const patience = 280_000;
const cycle = ["app up", "asked 1", "done"];
const cycles = (count: number): string[] => Array<string[]>(count).fill(cycle).flat();

/** What those have said that have not said this. */
async function saidOther(its: Graceful, said: readonly string[]): Promise<object> {
  const all = await Promise.all(
    its.services.map(async ({ name }) => [name, await its.said(name)] as const),
  );
  return Object.fromEntries(all.filter(([, words]) => String(words) !== String(said)));
}

/** The exits of those whose exit is not the program's. */
async function otherExits(its: Graceful): Promise<object> {
  const rows = await its.place.rows();
  const exits = its.services.map(({ name, line: { code } }) => {
    const exit = rows.find((row) => row.service === name)?.exit;
    return [name, exit?.code === code ? undefined : (exit ?? "none")] as const;
  });
  return Object.fromEntries(exits.filter(([, exit]) => exit !== undefined));
}

/** Waits until each has said this. */
async function haveSaid(its: Graceful, said: readonly string[]): Promise<void> {
  // One after the other: each look at a log takes time from the programs.
  const left = its.services.map(({ name }) => name);
  await eventually(
    "each has said so",
    async () => {
      while (left.length > 0 && String(await its.said(left[0]!)) === String(said)) left.shift();
      return left.length === 0;
    },
    patience / 2,
  ).catch(async () => void expect(await saidOther(its, said)).toEqual({}));
}

async function verb(its: Graceful, ...args: string[]): Promise<void> {
  const { code, err } = await its.place.daemon.run(...args);
  expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
}

const programs = ["node", "python3"] as const;

describeWith(programs)("a program ends in its own time, whatever its command line", () => {
  let its!: Graceful;
  beforeAll(async () => {
    its = await graceful({ lines: common, keys: 'type = "worker"\nwatch = ["touched"]' });
    await verb(its, "up", its.folder, "--timeout", "4m");
  }, patience);
  afterAll(() => its?.[Symbol.asyncDispose]());

  test(
    "at a restart",
    async () => {
      await verb(its, "restart", its.project);
      await haveSaid(its, [...cycles(1), "app up"]);
      expect(await otherExits(its)).toEqual({});
    },
    patience,
  );

  test(
    "when a file has changed that it watches",
    async () => {
      await writeFile(join(its.folder, "touched"), "");
      await haveSaid(its, [...cycles(2), "app up"]);
      expect(await otherExits(its)).toEqual({});
    },
    patience,
  );

  test(
    "when the daemon ends, and the next one starts it again",
    async () => {
      await verb(its, "server", "stop");
      expect(its.pids()).toEqual([]);
      await its.place.daemon.start();
      await haveSaid(its, [...cycles(3), "app up"]);
    },
    patience,
  );

  test(
    "when it is stopped",
    async () => {
      await verb(its, "stop", its.project);
      expect(its.pids()).toEqual([]);
      expect(await saidOther(its, cycles(4))).toEqual({});
      expect(await otherExits(its)).toEqual({});
    },
    patience,
  );
});

describeWith(programs)("a program ends in its own time", () => {
  test(
    "under command lines that are rarer, also where it was stopped by a signal",
    async () => {
      await using its = await graceful({ lines: rare, keys: 'type = "worker"' });
      await verb(its, "up", its.folder, "--timeout", "4m");
      for (const pid of its.pids()) {
        const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        const variables = readFileSync(`/proc/${pid}/environ`, "latin1");
        if (words === "node\0app.mjs\0" && /\0LOCALHOSTESS_NAME=stopped/.test(`\0${variables}`)) {
          process.kill(pid, "SIGSTOP");
        }
      }
      await verb(its, "stop", its.project);
      expect(its.pids()).toEqual([]);
      expect(await saidOther(its, cycles(1))).toEqual({});
      expect(await otherExits(its)).toEqual({});
    },
    patience,
  );

  test(
    "when nobody has asked for it for its idle_timeout",
    async () => {
      const { plain, and, exec, npm } = common;
      const lines = { plain, and, exec, npm };
      await using its = await graceful({ lines, keys: 'lazy = false\nidle_timeout = "1s"' });
      await verb(its, "up", its.folder, "--timeout", "4m");
      await eventually(
        "all sleep",
        async () => (await its.place.rows()).every(({ state }) => state === "stopped"),
        patience / 2,
      );
      expect(its.pids()).toEqual([]);
      expect(await saidOther(its, cycles(1))).toEqual({});
      expect(await otherExits(its)).toEqual({});
    },
    patience,
  );
});
