/** Processes that are known by a variable with which they were started. */
import { expect, test } from "bun:test";
import { startedIn, startedWith } from "../../src/system/started-with.ts";

test("processes of ours are found by the beginning of a variable, and this one is not", async () => {
  const begins = `/tmp/${crypto.randomUUID()}/`;
  const started = (STARTED_TEST: string) =>
    Bun.spawn(["sh", "-c", "echo; read line"], {
      env: { STARTED_TEST, PATH: "/usr/bin:/bin" },
      stdin: "pipe",
      stdout: "pipe",
    });
  await using one = started(`${begins}a`);
  await using other = started("/tmp/other/");
  for (const child of [one, other]) await child.stdout.getReader().read();
  expect(await startedWith({ variable: "STARTED_TEST", begins })).toEqual([one.pid]);
});

test("lines of ps -E, as macOS prints them", () => {
  const text = [
    "  401 /bin/sh bin/build CNB_PLATFORM_DIR=/place/at/platform PATH=/usr/bin",
    "40122 sleep 1000 PATH=/usr/bin CNB_PLATFORM_DIR=/place/at/platform",
    "40123 sleep 1000 PATH=/usr/bin CNB_PLATFORM_DIR=/other/at/platform",
    "40124 vim MY_CNB_PLATFORM_DIR=/place/at/platform",
    "",
  ].join("\n");
  expect(startedIn(text, { variable: "CNB_PLATFORM_DIR", begins: "/place/at/" })).toEqual([
    401, 40122,
  ]);
});
