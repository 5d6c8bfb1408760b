/** A build that is a command: when it runs, what it sees, and what is left of it. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildVariables, type Order } from "../../src/manifest/order.ts";
import type { CommandBuild } from "../../src/manifest/types/build.ts";
import { buildService, type ServiceBuilt } from "../../src/programs/build-service.ts";
import { type BuiltPlace, builtPlace, over } from "../support/built-order.ts";
import { eventually } from "../support/eventually.ts";

let its: BuiltPlace;
beforeEach(() => {
  its = builtPlace();
});
afterEach(() => its[Symbol.dispose]());

type Asked = {
  build?: Partial<CommandBuild>;
  order?: Partial<Order>;
  env?: Record<string, string>;
  signal?: AbortSignal;
  now?: () => number;
};

type Ran = { built: ServiceBuilt; told: string[]; lines: string[] };

/** Every time that is asked for is long after the one before. */
let time = 0;
const later = () => (time += 60_000);

async function ran({ build = {}, order, env = {}, signal, now = later }: Asked = {}): Promise<Ran> {
  const told: string[] = [];
  const lines: string[] = [];
  const built = await buildService(
    { order: its.order(build, order), env: { PATH: process.env.PATH!, ...env } },
    {
      tell: (text) => void told.push(text),
      say: (line) => void lines.push(line),
      signal: signal ?? new AbortController().signal,
      now,
    },
  );
  return { built, told, lines };
}

const hasRun = { kind: "built", ran: true, launchable: undefined } as const;
const hadNothingToDo = { ...hasRun, ran: false } as const;
const counting = "echo once >> count; echo made it";

test("the command runs in the workdir, says what it does, and its lines are kept for this user alone", async () => {
  expect(await ran({ build: { command: "pwd; echo two >&2" } })).toEqual({
    built: hasRun,
    told: ["builds: pwd; echo two >&2"],
    lines: [its.directory, "two"],
  });
  const log = join(its.place, "build.log");
  expect(readFileSync(log, "utf8")).toBe(`${its.directory}\ntwo\n`);
  expect(statSync(log).mode & 0o777).toBe(0o600);
});

test("a command is told as the file has it: what references stand for may be secrets", async () => {
  const build = { command: "false secret", written: "false ${services.db.password}" };
  const { told, lines, built } = await ran({ build });
  expect([told, lines]).toEqual([["builds: false ${services.db.password}"], []]);
  expect(built).toEqual({
    kind: "failed",
    why: "its build failed (exit code 1): false ${services.db.password}",
  });
});

test("what a build that was killed has left at work is ended before the next one", async () => {
  const { place } = its;
  const orphanOf = (folder: string) =>
    Bun.spawn(["sleep", "1000"], {
      env: { PATH: process.env.PATH, [buildVariables.place]: folder },
    });
  const orphan = orphanOf(`${place}/`);
  const other = orphanOf(`${place}-2/`);
  try {
    expect((await ran({ build: { command: "true" } })).built).toEqual(hasRun);
    await orphan.exited;
    expect([orphan.signalCode, other.signalCode]).toEqual(["SIGKILL", null]);
  } finally {
    orphan.kill();
    other.kill();
  }
});

test("without inputs it runs each time, and the lines of the one before are kept", async () => {
  const build = { command: "echo x >> count; wc -l < count" };
  for (let at = 0; at < 3; at++) expect((await ran({ build })).built).toEqual(hasRun);
  const logs = ["build.log", "build.log.1"].map((name) =>
    readFileSync(join(its.place, name), "utf8"),
  );
  expect(logs).toEqual(["3\n", "2\n"]);
});

test("with inputs, it runs again for a file, a word of it, a variable or --clean, and for nothing else", async () => {
  its.write("src/a.ts", "1");
  const build = { command: counting, inputs: ["src/**"] };
  const order = { variables: ["MODE"] };
  const env = { MODE: "dev" };
  expect((await ran({ build, order, env })).built).toEqual(hasRun);
  expect(await ran({ build, order, env })).toEqual({ built: hadNothingToDo, told: [], lines: [] });
  // Variables of the shell are not declared.
  expect((await ran({ build, order, env: { ...env, TERM: "dumb" } })).built).toEqual(
    hadNothingToDo,
  );
  its.write("dist/out.js", "what it makes");
  expect((await ran({ build, order, env })).built).toEqual(hadNothingToDo);
  its.write("src/a.ts", "2");
  expect((await ran({ build, order, env })).built).toEqual(hasRun);
  expect((await ran({ build, order, env: { MODE: "test" } })).built).toEqual(hasRun);
  const other = { ...build, command: `${counting} # changed` };
  expect((await ran({ build: other, order, env })).built).toEqual(hasRun);
  expect((await ran({ build: other, order: { ...order, clean: true }, env })).built).toEqual(
    hasRun,
  );
  expect(its.read("count")).toBe("once\n".repeat(5));
});

test("one that fails says how, and what was built before stays what was built", async () => {
  its.write("src/a.ts", "1");
  const build = { command: "cat src/a.ts; ! grep -q bad src/a.ts", inputs: ["src/**"] };
  expect((await ran({ build })).built).toEqual(hasRun);
  its.write("src/a.ts", "bad");
  const failed = await ran({ build });
  expect(failed.built).toEqual({
    kind: "failed",
    why: "its build failed (exit code 1): cat src/a.ts; ! grep -q bad src/a.ts",
  });
  expect(failed.lines).toEqual(["bad"]);
  its.write("src/a.ts", "1");
  expect((await ran({ build })).built).toEqual(hadNothingToDo);
});

test("a signal that ends it, and a shell that is not there, have their own words", async () => {
  expect((await ran({ build: { command: "kill -SEGV $$" } })).built).toEqual({
    kind: "failed",
    why: "its build failed (SIGSEGV): kill -SEGV $$",
  });
  const shell = { place: its.place, shell: ["/no/sh", "-c"], workdir: its.directory };
  expect((await ran({ order: { build: shell } })).built).toEqual({
    kind: "failed",
    why: "there is no shell at /no/sh",
  });
});

test("what it sees is the service's environment, without what is ours alone", async () => {
  const env = { NAME: "shop", NOTIFY_SOCKET: "/run/x", LOCALHOSTESS_BUILT: "1", A: "b" };
  const { lines } = await ran({ build: { command: "env" }, env });
  const names = lines.map((line) => line.split("=")[0]);
  expect(names).toContain("NAME");
  expect(names).toContain("A");
  expect(names).not.toContain("NOTIFY_SOCKET");
  expect(names).not.toContain("LOCALHOSTESS_BUILT");
  expect(names).not.toContain("LOCALHOSTESS_ORDER");
});

test("once a build beside it has succeeded, it has nothing to do, but where nothing was built at all", async () => {
  const env = { LOCALHOSTESS_BUILT: "1" };
  expect((await ran({ env })).built).toEqual(hasRun);
  expect((await ran({ env })).built).toEqual(hadNothingToDo);
});

test("of two that are asked for at once, the second takes what the first has built", async () => {
  const build = { command: `${counting}; sleep 0.2` };
  const both = await Promise.all([ran({ build, now: Date.now }), ran({ build, now: Date.now })]);
  expect(both.map(({ built }) => built)).toEqual(expect.arrayContaining([hasRun, hadNothingToDo]));
  expect(its.read("count")).toBe("once\n");
  expect(both.flatMap(({ told }) => told)).toContain(
    "builds: waits for another build of the same service",
  );
});

test("instances that start together are built once; a change of a file is never too soon after a build", async () => {
  const env = { LOCALHOSTESS_INSTANCE: "1" };
  expect((await ran({ env, now: () => 10_000 })).built).toEqual(hasRun);
  expect((await ran({ env, now: () => 11_500 })).built).toEqual(hadNothingToDo);
  const changed = { env, order: { only: "build" }, now: () => 11_500 } as const;
  expect((await ran(changed)).built).toEqual(hasRun);
  const covered = { env, order: { only: "build", asked: 11_400 } } as const;
  expect((await ran(covered)).built).toEqual(hadNothingToDo);
  // One that stands alone is started again by a person, who may have edited something.
  expect((await ran({ now: () => 12_000 })).built).toEqual(hasRun);
});

test("one that is ended leaves nothing running, and counts as nothing", async () => {
  const ending = new AbortController();
  const command =
    "sh -c 'echo $$ > child; trap : TERM; while :; do sleep 0.05; done' & echo up; wait";
  const asked = ran({ build: { command, inputs: ["src"] }, signal: ending.signal });
  await eventually(
    "its child runs",
    () => existsSync(join(its.directory, "child")) && its.read("child") !== "",
  );
  ending.abort();
  expect((await asked).built).toEqual({ kind: "ended" });
  await over(Number(its.read("child")));
  expect(existsSync(join(its.place, "command.json"))).toBe(false);
});

test("a record that another version has written, or that is cut in half, is none", async () => {
  const build = { command: counting, inputs: ["src"] };
  for (const text of ['{"version":2,"key":"x","began":1}', '{"version":1,"ke']) {
    writeFileSync(join(its.place, "command.json"), text, { mode: 0o600 });
    expect((await ran({ build })).built).toEqual(hasRun);
  }
});
