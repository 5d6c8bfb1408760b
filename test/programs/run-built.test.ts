/** The program that a service with a build is: it builds, says so, and becomes the service. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Order, orderVariable, orderWord } from "../../src/manifest/order.ts";
import type { CommandBuild } from "../../src/manifest/types/build.ts";
import { datagrams } from "../../src/system/datagrams.ts";
import { type BuiltPlace, builtPlace, over } from "../support/built-order.ts";
import { eventually } from "../support/eventually.ts";

const main = resolve(import.meta.dir, "../../src/main.ts");

let its: BuiltPlace;
beforeEach(() => {
  its = builtPlace();
});
afterEach(() => its[Symbol.dispose]());

type Run = { child: Bun.Subprocess<"ignore", "pipe", "pipe">; told: string[]; close(): void };

async function started(build: Partial<CommandBuild>, changes: Partial<Order> = {}): Promise<Run> {
  const told: string[] = [];
  const socket = join(its.directory, "../n");
  const heard = await datagrams(socket, {
    platform: process.platform,
    hear: (bytes) => void told.push(...Buffer.from(bytes).toString().split("\n")),
  });
  const child = Bun.spawn([process.execPath, main, orderWord], {
    cwd: "/",
    env: {
      ...{ PATH: process.env.PATH!, HOME: its.directory, MODE: "dev" },
      [orderVariable]: JSON.stringify(its.order(build, changes)),
      NOTIFY_SOCKET: socket,
    },
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true },
  });
  return { child, told, close: () => heard.close() };
}

/** Datagrams may be heard after the process has ended. */
async function ended({ child, told, close }: Run, last: string) {
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  await eventually(last, () => told.some((line) => line.startsWith(last)));
  close();
  return { out, err, code, told: told.filter((line) => !line.startsWith("EXTEND_")) };
}

test("it builds, and is then the command itself, in its workdir, with the service's environment", async () => {
  const command =
    "echo $$ $(pwd) $MODE ${NOTIFY_SOCKET:+heard} ${LOCALHOSTESS_ORDER:+order}; exit 7";
  const run = await started({ command: "echo made" }, { command });
  const { out, code, told } = await ended(run, "X_BUILT");
  expect(out).toBe(`made\n${run.child.pid} ${its.directory} dev heard\n`);
  expect(code).toBe(7);
  expect(told).toEqual(["STATUS=builds: echo made", "STATUS=", "X_BUILT=1"]);
});

test("a build that fails is why it cannot be started, and the command does not run", async () => {
  const run = await started({ command: "echo broken; exit 3" }, { command: "touch ran" });
  const { out, err, code, told } = await ended(run, "X_CANNOT");
  const why = "its build failed (exit code 3): echo broken; exit 3";
  expect({ out, err, code }).toEqual({ out: "broken\n", err: `${why}\n`, code: 69 });
  expect(told.at(-1)).toBe(`X_CANNOT=${why}`);
  expect(existsSync(join(its.directory, "ran"))).toBe(false);
});

test("an order to build only ends well without the command", async () => {
  const run = await started({ command: "touch made" }, { command: "touch ran", only: "build" });
  expect((await ended(run, "STATUS=builds")).code).toBe(0);
  expect(["made", "ran"].map((name) => existsSync(join(its.directory, name)))).toEqual([
    true,
    false,
  ]);
});

test("SIGTERM while it builds ends the build with all that it has started", async () => {
  const run = await started({ command: "sleep 1000 & echo $! > child; wait" });
  await eventually("its child runs", () => {
    return existsSync(join(its.directory, "child")) && its.read("child") !== "";
  });
  run.child.kill("SIGTERM");
  expect((await ended(run, "STATUS=builds")).code).toBe(128 + 15);
  await over(Number(its.read("child")));
});
