/** `wait`, and what verbs show of one project among several, with a real daemon. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { uniqueName } from "../support/servers.ts";
import { cli, session } from "./cli.ts";

const patience = 120_000;
const shop = uniqueName("shop");
const blog = uniqueName("blog");
let place: DaemonPlace;
let folder: string;

/** Files by which a test says when a service goes on. */
const until = (file: string) => `until test -e ${file}; do sleep 0.05; done`;

beforeAll(async () => {
  place = await daemonPlace();
  await place.start();
  // Outside of every repository, where no folder above is looked into.
  folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-wait-")));
  for (const name of ["shop/below", "blog", "new"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(
    join(folder, "shop/locald.toml"),
    `
[project]
name = "${shop}"

[services]
slow = { type = "worker", command = "${until("go")}; echo begun; exec sleep 1000", ready_pattern = "begun" }
job = { type = "worker", command = "${until("end")}; exit 7", restart = "no", lazy = false }
cut = { type = "worker", command = "${until("cut")}; kill -9 $$", restart = "no" }
hopeless = { type = "worker", command = "exit 127" }
`,
  );
  await writeFile(
    join(folder, "blog/locald.toml"),
    `[project]\nname = "${blog}"\n[services]\npost = { type = "worker", command = "exec sleep 1000" }\n`,
  );
  await writeFile(join(folder, "new/locald.toml"), `[services]\nx = "exec sleep 1"\n`);
}, patience);

afterAll(async () => {
  await at("shop", "stop", "--all");
  await place[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, patience);

const env = () => ({ ...place.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` });
const at = (below: string, ...args: string[]) =>
  cli(args, { env: env(), cwd: join(folder, below) });
const waiting = (...args: string[]) =>
  session(["wait", ...args], { env: env(), cwd: join(folder, "shop"), terminal: false });

test(
  "a service that nobody has started yet is waited for, until it is ready or the time is up",
  async () => {
    const late = await at("shop", "wait", "slow", "--timeout", "200ms", "--json");
    expect(late.code).toBe(1);
    expect(JSON.parse(late.out)).toEqual([
      { name: `${shop}:slow`, state: "stopped", reached: false, exit: null, why: null },
    ]);
    expect(late.err).toContain(`${shop}:slow is not ready after 0.2 s (not started)`);
    await using waits = waiting("slow");
    await waits.until((text) => text.includes(`start it with: localhostess up ${shop}:slow`));
    const begun = await at("shop", "up", "slow", "--no-wait", "--json");
    expect(JSON.parse(begun.out)).toMatchObject([{ name: `${shop}:slow` }]);
    const still = await at("shop", "wait", "slow", "--timeout", "200ms");
    expect({ code: still.code, err: still.err }).toMatchObject({ code: 1 });
    expect(still.err).toContain("slow is not ready after 0.2 s (running");
    await writeFile(join(folder, "shop/go"), "");
    expect(await waits.ended()).toBe(0);
    expect(waits.output()).toContain(`${shop}:slow: ready`);
  },
  patience,
);

test(
  "the exit code of what ends by itself is passed on, and the first of several that is not 0",
  async () => {
    await at("shop", "up", "--no-wait");
    await using completed = waiting("job", "--for", "completed");
    await using both = waiting("slow", "cut", "job", "--for", "stopped", "--json");
    await writeFile(join(folder, "shop/end"), "");
    expect(await completed.ended()).toBe(7);
    expect(completed.output()).toContain(`${shop}:job: ended with exit code 7`);
    expect((await at("shop", "wait", "job")).err).toContain("ended with exit code 7");
    await writeFile(join(folder, "shop/cut"), "");
    await at("shop", "wait", "cut", "--for", "completed");
    await at("shop", "stop", "slow");
    expect(await both.ended()).toBe(137);
    const text = both.output();
    expect(JSON.parse(text.slice(text.indexOf("[\n"), text.lastIndexOf("]") + 1))).toMatchObject([
      { name: `${shop}:slow`, state: "stopped", reached: true, exit: 0 },
      { name: `${shop}:cut`, state: "exited", reached: true, exit: 137 },
      { name: `${shop}:job`, state: "exited", reached: true, exit: 7 },
    ]);
    const lost = await at("shop", "wait", "hopeless");
    expect(lost.code).toBe(1);
    expect(lost.err).toContain(`localhostess logs ${shop}:hopeless`);
  },
  patience,
);

test(
  "a wait goes on with the daemon that replaces this one, and ends at Ctrl-C",
  async () => {
    await at("shop", "stop");
    await using waits = waiting("slow");
    await waits.until((text) => text.includes("slow is not started"));
    expect((await at("shop", "server", "restart")).code).toBe(0);
    expect((await at("shop", "up", "slow")).code).toBe(0);
    expect(await waits.ended()).toBe(0);
    await using interrupted = waiting("cut", "--for", "completed");
    await interrupted.until((text) => text.includes("cut is not started"));
    interrupted.signal("SIGINT");
    expect(await interrupted.ended()).toBe(130);
  },
  patience,
);

test(
  "up waits as long as it is told to, and what was started goes on",
  async () => {
    await at("shop", "stop");
    await rm(join(folder, "shop/go"));
    const background = await at("shop", "up", "slow", "--timeout", "300ms", "--json");
    expect(background.code).toBe(1);
    expect(background.err).toContain("not ready within 0.3 s");
    expect(JSON.parse(background.out)).toMatchObject([{ name: `${shop}:slow`, state: "running" }]);
    const foreground = await at("shop", "up", "slow", "-f", "--timeout", "300ms");
    expect(foreground.code).toBe(1);
    expect(foreground.err).toContain("not ready within 0.3 s");
    expect(foreground.err).toContain("goes on in the background");
    const [row] = JSON.parse((await at("shop", "status", "slow", "--json")).out) as Row[];
    expect(row!.state).toBe("running");
    expect((await at("shop", "up", "-f", "--json")).code).toBe(2);
  },
  patience,
);

test(
  "status, logs and monitor are about the project here or above; all of them elsewhere, and with --all",
  async () => {
    await at("blog", "up");
    const projects = async (below: string, ...args: string[]) => {
      const { out } = await at(below, "status", "--json", ...args);
      return [...new Set((JSON.parse(out) as Row[]).map((row) => row.project))];
    };
    expect(await projects("shop")).toEqual([shop]);
    expect(await projects("shop/below")).toEqual([shop]);
    expect(await projects("blog")).toEqual([blog]);
    expect(await projects("blog", "--all")).toEqual([blog, shop].sort());
    expect(await projects(".")).toEqual([blog, shop].sort());
    // A service of another project is found by its name.
    expect(await projects("shop", "post")).toEqual([blog]);
    const { out, err } = await at("shop", "status");
    expect(out).not.toContain(blog);
    expect(err).toContain("1 other project: localhostess status --all\n");
    expect((await at(".", "status")).err).toBe("");
    // A project that was never up is nobody else's.
    expect(await projects("new")).toEqual([]);
    const unknown = await at("new", "status");
    expect(unknown).toMatchObject({ code: 0, out: "" });
    expect(unknown.err).toContain("start it with: localhostess up (2 other projects: ");
    expect((await at("new", "logs")).code).toBe(1);
    const lines = async (below: string, ...args: string[]) =>
      (await at(below, "logs", "--json", ...args)).out;
    expect(await lines("shop/below")).toContain("begun");
    expect(await lines("blog")).not.toContain("begun");
    expect(await lines("blog", "--all")).toContain("begun");
    expect(await lines(".")).toContain("begun");
    for (const verb of ["status", "logs", "stop"]) {
      expect((await at("shop", verb, "--all", "slow")).code).toBe(2);
    }
    const screen = (below: string, ...args: string[]) =>
      session(["monitor", ...args], { env: env(), cwd: join(folder, below), columns: 240 });
    await using one = screen("shop");
    expect(await one.until((text) => text.includes(`${shop}:slow`))).not.toContain(blog);
    await using all = screen("shop", "--all");
    await all.until((text) => text.includes(`${shop}:slow`) && text.includes(`${blog}:post`));
    await using none = screen("new");
    await none.until((text) => text.includes("2 other projects: localhostess monitor --all"));
    // Below a project that is up, `stop` finds it too.
    expect((await at("shop/below", "stop")).code).toBe(0);
    expect((await at("blog", "status", "--json")).out).toContain('"ready"');
  },
  patience,
);

test(
  "words and times that mean nothing are mistakes",
  async () => {
    expect(await at("shop", "wait")).toMatchObject({ code: 2 });
    expect(await at("shop", "wait", "slow", "--for", "redy")).toMatchObject({ code: 2 });
    const wrong = await at("shop", "wait", "slow", "--timeout", "0");
    expect(wrong).toMatchObject({ code: 2, out: "" });
    const near = await at("shop", "wait", "slwo");
    expect(near.code).toBe(1);
    expect(near.err).toContain("no service is named slwo; did you mean slow?");
    await using other = await daemonPlace();
    const alone = (...args: string[]) =>
      cli(["wait", ...args], { env: { ...env(), ...other.env }, cwd: join(folder, "shop") });
    expect((await alone("slow")).code).toBe(1);
    expect((await alone("slow", "--for", "stopped")).code).toBe(0);
    expect(other.pids()).toEqual([]);
  },
  patience,
);
