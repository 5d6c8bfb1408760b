/** Command lines that people write, ended in each way: the program has its second, and its own exit is shown. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import {
  common,
  cycles,
  type Graceful,
  graceful,
  haveSaid,
  otherExits,
  rare,
  saidOther,
} from "../support/graceful.ts";
import { describeWith } from "../support/with-programs.ts";

const patience = 280_000;
async function verb(its: Graceful, ...args: string[]): Promise<void> {
  const { code, err } = await its.place.daemon.run(...args);
  expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
}

const programs = ["node", "python3"] as const;

/** Those whose ends are of a kind each; `test/soak/graceful.ts` ends all of them in each way. */
const { plain, and, exec, pipeline, trap, npm } = common;
const kinds = { plain, and, pipeline, trap, npm };
const ways = [
  { what: "whatever its command line", lines: common, watched: false },
  { what: "whoever ends it", lines: kinds, watched: true },
];

for (const { what, lines, watched } of ways) {
  describeWith(programs)(`a program ends in its own time, ${what}`, () => {
    let its!: Graceful;
    beforeAll(async () => {
      its = await graceful({ lines, keys: 'type = "worker"\nwatch = ["touched"]' });
      await verb(its, "up", its.folder, "--timeout", "4m");
    }, patience);
    afterAll(() => its?.[Symbol.asyncDispose]());

    if (watched) {
      test(
        "when a file has changed that it watches",
        async () => {
          await writeFile(join(its.folder, "touched"), "");
          expect(await haveSaid(its, [...cycles(1), "app up"])).toEqual({});
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
          expect(await haveSaid(its, [...cycles(2), "app up"])).toEqual({});
        },
        patience,
      );
      return;
    }

    test(
      "at a restart",
      async () => {
        await verb(its, "restart", its.project);
        expect(await haveSaid(its, [...cycles(1), "app up"])).toEqual({});
        expect(await otherExits(its)).toEqual({});
      },
      patience,
    );

    test(
      "when it is stopped",
      async () => {
        await verb(its, "stop", its.project);
        expect(its.pids()).toEqual([]);
        expect(await saidOther(its, cycles(2))).toEqual({});
        expect(await otherExits(its)).toEqual({});
      },
      patience,
    );
  });
}

describeWith(programs)("a program ends in its own time", () => {
  test(
    "under command lines that are rarer, also where it was stopped by a signal",
    async () => {
      await using its = await graceful({ lines: rare, keys: 'type = "worker"' });
      await verb(its, "up", its.folder, "--timeout", "4m");
      for (const pid of its.pids()) {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
          const variables = readFileSync(`/proc/${pid}/environ`, "latin1");
          if (words === "node\0app.mjs\0" && /\0LOCALHOSTESS_NAME=stopped/.test(`\0${variables}`)) {
            process.kill(pid, "SIGSTOP");
          }
        } catch {
          // A runner's own command that has ended.
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
