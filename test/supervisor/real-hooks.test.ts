/** Hooks with real processes, in a process that adopts their orphans as the daemon does. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceSpec } from "../../src/manifest/project.ts";
import { eventually } from "../support/eventually.ts";
import type { HostOrder, Told } from "./host.ts";
import { exists, Keeper, marked } from "./keepers.ts";

let host: Keeper<HostOrder>;
let folder: string;
beforeAll(() => {
  host = new Keeper<HostOrder>("host.ts");
  folder = mkdtempSync(join(tmpdir(), "hooks-"));
});
afterAll(async () => {
  await host.finish();
  rmSync(folder, { recursive: true, force: true });
});

const unique = (() => {
  let count = 0;
  return () => `9${count++}.${process.pid}${Date.now()}`;
})();

async function begin(name: string, spec: Partial<ServiceSpec>): Promise<void> {
  const worker = { type: "worker", routeName: undefined, workdir: folder } as const;
  await host.ask({ do: "start", spec: { name, ...worker, ...spec } });
}

const until = (name: string, state: Told["state"]) => host.ask<Told>({ do: "until", name, state });

const stop = (name: string) => host.ask<Told>({ do: "stop", name });

/** Lines that hooks have written down, each with a pid in the place of a word. */
const written = (name: string) => readFileSync(join(folder, name), "utf8").trim().split("\n");

const note = (text: string, file: string) => `echo "${text}" >> ${file}`;

test("run around the process, in its folder and shell, with its pid; what they print is marked", async () => {
  await begin("all", {
    shell: ["bash", "-c"],
    command: `${note("runs", "all")}; echo its own line; trap '${note("TERM", "all")}; exit 7' TERM; while :; do sleep 0.02; done`,
    pty: false,
    readyPattern: "^its own line",
    hooks: {
      before_start: `cat; words=(one two); echo "\${words[1]} printed"; ${note("before", "all")}`,
      after_ready: note("ready $MAINPID", "all"),
      before_stop: note("stop $MAINPID", "all"),
      after_stop: note("after $EXIT_CODE $EXIT_STATUS", "all"),
    },
  });
  const { pid } = await until("all", "ready");
  await eventually("it is written", () => written("all").length === 3);
  const told = await stop("all");
  expect(written("all")).toEqual([
    "before",
    "runs",
    `ready ${pid}`,
    `stop ${pid}`,
    "TERM",
    "after exited 7",
  ]);
  expect(told.output).toStartWith("before_start: two printed\nits own line");
  expect(told.warnings).toEqual([]);
});

test("a shell of another kind reads nothing of the person's own", async () => {
  writeFileSync(join(folder, ".bashrc"), "echo read it");
  await begin("bash", {
    shell: ["bash", "-c"],
    command: "echo runs; sleep 1000",
    env: { HOME: folder },
    pty: false,
    readyPattern: "^runs",
    hooks: { before_start: "echo prepares >/dev/stdout" },
  });
  expect((await until("bash", "ready")).output).toBe("before_start: prepares\nruns\n");
  await stop("bash");
});

test("before_start that fails leaves nothing, and its last line is the reason", async () => {
  const mark = unique();
  await begin("broken", {
    command: "sleep 1000",
    restart: "no",
    hooks: { before_start: `setsid sleep ${mark} & echo "no database" >&2; exit 4` },
  });
  const told = await until("broken", "failed");
  expect(told.why).toBe("before_start ended with exit code 4: no database");
  expect(marked(mark)).toEqual([]);
  expect(told.states).toEqual(["starting", "failed"]);
});

test("a stop during before_start ends it, wherever its processes went", async () => {
  const mark = unique();
  await begin("slow", {
    command: "sleep 1000",
    hooks: { before_start: `(setsid sleep ${mark} &); sleep ${mark}` },
  });
  // The shell's own arguments have the mark too.
  const asleep = () => marked(`sleep\0${mark}`, { whole: true });
  await eventually("both run", () => asleep().length === 2);
  expect((await stop("slow")).state).toBe("stopped");
  expect(marked(mark)).toEqual([]);
});

test("what before_start starts in the background lives with the service, and ends with it", async () => {
  const mark = unique();
  await begin("daemon", {
    command: "sleep 1000",
    hooks: { before_start: `(setsid sleep ${mark} > /dev/null 2>&1 &)` },
  });
  await until("daemon", "ready");
  expect(marked(mark).length).toBe(1);
  await stop("daemon");
  expect(marked(mark)).toEqual([]);
});

test("stop_command ends it without a signal, and after_stop leaves nothing behind either", async () => {
  const mark = unique();
  await begin("asked", {
    command: `trap 'echo signalled >> asked; exit 1' TERM; rm -f go; until test -e go; do sleep 0.02; done; ${note("ended well", "asked")}`,
    hooks: {
      stop_command: `${note("asks", "asked")}; touch go; sleep 0.2; ${note("has asked", "asked")}`,
      after_stop: `(setsid sleep ${mark} > /dev/null 2>&1 &)`,
    },
    stopTimeout: 60_000,
  });
  await until("asked", "ready");
  const told = await stop("asked");
  expect(written("asked").sort()).toEqual(["asks", "ended well", "has asked"]);
  expect(told.lastExit).toMatchObject({ code: 0, signal: null });
  expect(marked(mark)).toEqual([]);
});

test("stop_command that ends nothing is followed by SIGKILL, also of itself", async () => {
  const mark = unique();
  await begin("deaf", {
    command: `trap '' TERM; while :; do sleep 0.02; done; : ${mark}`,
    hooks: { stop_command: `sleep ${mark}` },
    stopTimeout: 500,
  });
  await until("deaf", "ready");
  const pids = marked(mark);
  const told = await stop("deaf");
  expect(told.lastExit).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(pids.filter(exists)).toEqual([]);
  expect(marked(mark)).toEqual([]);
});
