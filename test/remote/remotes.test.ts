/** Which machines there are, and how long a request waits for one; ssh is a script here. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptRemotes } from "../../src/remote/kept.ts";
import { patience, type Remotes, remotes } from "../../src/remote/remotes.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";

let folder: string;
let clock: FakeClock;
let configured: ReadonlyMap<string, string>;
let changes: number;
let its: Remotes;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-remotes-"));
  clock = new FakeClock();
  configured = new Map();
  changes = 0;
  ssh("exec sleep 100");
  const note = () => {};
  its = remotes({
    clock,
    random: () => 0.5,
    stateDirectory: folder,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    configured: () => configured,
    pids: new Set(),
    kept: keptRemotes({ stateDirectory: folder, clock, note }),
    onChange: () => changes++,
    note,
  });
  await its.start();
});

afterEach(async () => {
  const stopped = its.stop();
  clock.advance(1_000);
  await stopped;
  rmSync(folder, { recursive: true, force: true });
});

function ssh(body: string): void {
  writeFileSync(join(folder, "ssh"), `#!/bin/sh\necho "$*" >>${folder}/asked\n${body}\n`);
  chmodSync(join(folder, "ssh"), 0o755);
}

const asked = (): string[] =>
  existsSync(join(folder, "asked"))
    ? readFileSync(join(folder, "asked"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split(" -- ")[1]!)
    : [];

const states = () =>
  its.reports().map(({ name, host, source, state }) => [name, host, source, state]);

describe("machines", () => {
  test("are those of the file and those that were added, and the file counts", () => {
    expect(its.add({ name: "box", host: "me@box" })).toBeUndefined();
    expect(states()).toEqual([["box", "me@box", "kept", "connecting"]]);
    configured = new Map(
      [
        ["box", "other"],
        ["pi", "pi"],
      ].map(([a, b]) => [a!, b!]),
    );
    expect(states()).toEqual([
      ["box", "other", "config", "idle"],
      ["pi", "pi", "config", "idle"],
    ]);
    expect(its.names()).toEqual(new Set(["box", "pi"]));
    expect(its.add({ name: "pi", host: "x" })).toContain("config.toml; change it there");
    expect(its.remove("pi")).toContain("config.toml; remove it there");
    configured = new Map();
    expect(states()).toEqual([["box", "me@box", "kept", "idle"]]);
    expect([its.remove("box"), its.remove("box")]).toEqual([undefined, "there is no machine box"]);
    expect([its.reports(), its.names().size]).toEqual([[], 0]);
  });

  test("that are added twice are one, with the last host", () => {
    its.add({ name: "box", host: "a" });
    its.add({ name: "box", host: "a" });
    const { pid } = its.reports()[0]!;
    its.add({ name: "box", host: "a" });
    expect(its.reports()[0]!.pid).toBe(pid);
    its.add({ name: "box", host: "b" });
    expect(states()).toEqual([["box", "b", "kept", "connecting"]]);
  });

  test("are a hundred at most", () => {
    ssh("exit 255");
    for (let index = 0; index < 100; index++) its.add({ name: `box${index}`, host: "box" });
    expect(its.add({ name: "one-more", host: "box" })).toContain("100 machines are kept already");
    expect(its.add({ name: "box7", host: "other" })).toBeUndefined();
    for (let index = 0; index < 100; index++) its.remove(`box${index}`);
  });

  test("cost nothing where there are none: no timer runs", () => {
    expect(clock.waiting).toBe(0);
    configured = new Map([["box", "box"]]);
    its.claims();
    expect(clock.waiting).toBe(1);
    configured = new Map();
    its.claims();
    expect(clock.waiting).toBe(0);
  });

  test("are connected to once somebody uses localhostess, or looks at the page", async () => {
    configured = new Map([["box", "box"]]);
    its.claims();
    clock.advance(60_000);
    expect(states()[0]![3]).toBe("idle");
    const leave = its.attend();
    clock.advance(1_000);
    await eventually("ssh is started", () => asked().length === 1);
    expect(asked()).toEqual(["box sh"]);
    leave();
    leave();
  });

  test("get the agent that a person uses now", async () => {
    ssh(`echo "$SSH_AUTH_SOCK" >>${folder}/agents; exec sleep 100`);
    its.useAgent("/run/agent");
    its.add({ name: "box", host: "box" });
    const file = join(folder, "agents");
    await eventually("ssh has it", () => existsSync(file) && readFileSync(file, "utf8") !== "");
    expect(readFileSync(file, "utf8")).toBe("/run/agent\n");
  });
});

describe("a request", () => {
  beforeEach(() => {
    configured = new Map([["box", "box"]]);
    its.claims();
  });

  test("for another name waits for no machine, and connects to none", async () => {
    for (const name of ["api", "box", "api.boxes", "box.api"]) await its.look(name);
    expect([asked(), its.of("api.boxes"), its.of("box")]).toEqual([[], undefined, undefined]);
  });

  test("for a name of a machine that says nothing waits for five seconds", async () => {
    let over = false;
    const looked = its.look("x.api.box").then(() => {
      over = true;
    });
    clock.advance(patience - 1);
    await Promise.resolve();
    expect(over).toBe(false);
    clock.advance(1);
    await looked;
    expect(its.of("api.box")).toMatchObject({ name: "box", state: "connecting" });
    // No timer is left of it, but the one that ticks.
    expect(clock.waiting).toBe(1);
  });

  test("for a name of a machine that refuses us waits no longer than for the refusal", async () => {
    ssh("echo 'Permission denied (publickey).' >&2; exit 255");
    await its.look("api.box");
    expect(its.of("api.box")).toMatchObject({ state: "refused" });
    await its.look("api.box");
    expect(asked()).toEqual(["box sh"]);
    expect(its.retry("no-such")).toBe("there is no machine no-such");
    expect(its.retry("box")).toBeUndefined();
    await its.look("api.box");
    expect(asked()).toEqual(["box sh", "box sh"]);
  });
});

test("a machine that was asleep with this one is tried again when this one wakes up", async () => {
  ssh("echo 'ssh: connect to host box port 22: No route to host' >&2; exit 255");
  its.add({ name: "box", host: "box" });
  await eventually("it is asleep", () => its.reports()[0]!.state === "asleep");
  // Time that passes while a machine sleeps is on its clock only.
  clock.set(3_600_000);
  clock.advance(1_000);
  await eventually("it is tried", () => asked().length === 2);
});

test("after the end nothing is left: no process, no timer, no folder", async () => {
  its.add({ name: "box", host: "box" });
  const { pid } = its.reports()[0]!;
  await Promise.all([its.stop(), its.stop()]);
  expect(() => process.kill(pid!, 0)).toThrow();
  expect(clock.waiting).toBe(0);
  expect(existsSync(join(folder, "remotes"))).toBe(false);
});
