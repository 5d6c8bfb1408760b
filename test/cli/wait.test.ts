/** `wait`, and what verbs show of one project among several, with a real daemon. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";
import { cli, session } from "./cli.ts";

const patience = 120_000;
const shop = uniqueName("shop");
const blog = uniqueName("blog");
let place: ProjectPlace;
let folder: string;

/** Files by which a test says when a service goes on. */
const until = (file: string) => `until test -e ${file}; do sleep 0.05; done`;

beforeAll(async () => {
  place = await projectPlace();
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
    `[project]\nname = "${blog}"\n[services]\npost = { type = "worker", command = "exec sleep 1000" }\ndrafts = { type = "worker", command = "exec sleep 1000", profiles = ["tools"] }\noff = { type = "worker", command = "exec sleep 1000", disabled = true }\n`,
  );
  await writeFile(join(folder, "new/locald.toml"), `[services]\nx = "exec sleep 1"\n`);
}, patience);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, patience);

const env = () => ({
  ...place.daemon.env,
  PATH: `${join(process.execPath, "..")}:${process.env.PATH}`,
});
const at = (below: string, ...args: string[]) =>
  cli(args, { env: env(), cwd: join(folder, below) });
/** Without a word, where the verb is not what the test is about. */
const stop = (name: string) => place.send({ Stop: { name } });
const waiting = (...args: string[]) =>
  session(["wait", ...args], { env: env(), cwd: join(folder, "shop"), terminal: false });

test(
  "a service that nobody has started yet is waited for, until it is ready or the time is up",
  async () => {
    const late = await at("shop", "wait", "slow", "--timeout", "200ms", "--json");
    expect(late.code).toBe(1);
    expect(JSON.parse(late.out)).toEqual({
      ...{ name: `${shop}:slow`, state: "stopped", reached: false, exit: null, why: null },
    });
    expect(late.err).toContain(`${shop}:slow is not ready after 0.2 s (not started)`);
    await using waits = waiting("slow");
    await waits.until((text) => text.includes(`start it with: localhostess up ${shop}:slow`));
    const begun = await at("shop", "up", "slow", "--no-wait", "--json");
    expect(JSON.parse(begun.out)).toMatchObject([{ name: `${shop}:slow` }]);
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
    // A service has its line as soon as it is settled.
    await both.until((text) => text.includes(`{"name":"${shop}:job"`));
    await writeFile(join(folder, "shop/cut"), "");
    await place.until(`${shop}:cut`, ({ state }) => state === "exited", patience);
    await stop(`${shop}:slow`);
    expect(await both.ended()).toBe(137);
    const lines = both.output().split("\n");
    const rows = lines
      .filter((text) => text.startsWith("{"))
      .map((text) => JSON.parse(text) as object);
    expect(rows).toMatchObject([
      { name: `${shop}:job`, state: "exited", reached: true, exit: 7 },
      { name: `${shop}:cut`, state: "exited", reached: true, exit: 137 },
      { name: `${shop}:slow`, state: "stopped", reached: true, exit: 0 },
    ]);
    const lost = await at("shop", "wait", "hopeless");
    expect(lost.code).toBe(1);
    expect(lost.err).toContain(
      `${shop}:hopeless: ended with exit code 127; it is tried again; see: `,
    );
    expect(lost.err).toContain(`localhostess logs ${shop}:hopeless`);
  },
  patience,
);

test(
  "a wait goes on with the daemon that replaces this one, and ends at Ctrl-C",
  async () => {
    await stop(shop);
    await using waits = waiting("slow");
    await waits.until((text) => text.includes("slow is not started"));
    expect((await at("shop", "server", "restart")).code).toBe(0);
    await place.up(join(folder, "shop"), { services: ["slow"] });
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
    await stop(shop);
    await rm(join(folder, "shop/go"));
    const background = await at("shop", "up", "slow", "--timeout", "300ms", "--json");
    expect(background.code).toBe(1);
    // Without the name where not even the start has been told of by then.
    expect(background.err).toMatch(/not ready within 0\.3 s(: \S+:slow)?\n/);
    expect(JSON.parse(background.out)).toMatchObject([{ name: `${shop}:slow`, state: "running" }]);
    const foreground = await at("shop", "up", "slow", "-f", "--timeout", "300ms");
    expect(foreground.code).toBe(1);
    expect(foreground.err).toContain("not ready within 0.3 s");
    expect(foreground.err).toContain("goes on in the background");
    expect(await place.row(`${shop}:slow`)).toMatchObject({ state: "running" });
    expect((await at("shop", "up", "-f", "--json")).code).toBe(2);
  },
  patience,
);

test(
  "status, logs and monitor are about the project here, and with --all about every one",
  async () => {
    await place.up(join(folder, "blog"));
    const { out, err } = await at("shop/below", "status");
    expect(out).toContain(`${shop}:slow`);
    expect(out).not.toContain(blog);
    expect(err).toContain("1 other project: localhostess status --all\n");
    const all = JSON.parse((await at("shop", "status", "--json", "--all")).out) as Row[];
    expect([...new Set(all.map((row) => row.project))]).toEqual([blog, shop].sort());
    const unknown = await at("new", "status", "--json");
    expect(unknown).toMatchObject({ code: 0, out: "[]\n" });
    expect(unknown.err).toMatch(/start it with: localhostess up \S+\/new \(2 other projects: /);
    expect((await at("blog", "logs", "--json")).out).not.toContain("begun");
    expect((await at("blog", "logs", "--json", "--all")).out).toContain("begun");
    const screen = (below: string, ...args: string[]) =>
      session(["monitor", ...args], { env: env(), cwd: join(folder, below), columns: 240 });
    await using one = screen("shop");
    expect(await one.until((text) => text.includes(`${shop}:slow`))).not.toContain(blog);
    await using every = screen("shop", "--all");
    await every.until((text) => text.includes(`${shop}:slow`) && text.includes(`${blog}:post`));
    await using none = screen("new");
    await none.until((text) => text.includes("2 other projects: localhostess monitor --all"));
  },
  patience,
);

test(
  "up finds a project that the daemon knows from everywhere, and no other by a plain word",
  async () => {
    await at("blog", "up");
    // What `wait` and `attach` advise.
    for (const words of [[`${blog}:off`], [blog, "off"], ["off"]]) {
      const { code, out } = await at(".", "up", ...words, "--json");
      expect({ code, rows: JSON.parse(out) }).toMatchObject({
        code: 0,
        rows: [{ name: `${blog}:off` }],
      });
    }
    const { out } = await at("new", "up", `${blog}:off`, "--json");
    expect(JSON.parse(out)).toMatchObject([{ name: `${blog}:off` }]);
    const plain = await at("shop", "up", "off");
    expect(plain.code).toBe(1);
    expect(plain.err).toContain(`${shop} has no service off`);
    const below = await at("shop/below", "up", "hopeless", "--json");
    expect({ code: below.code, rows: JSON.parse(below.out) }).toMatchObject({
      code: 1,
      rows: [{ name: `${shop}:hopeless` }],
    });
    await at("shop", "stop", "hopeless");
    await at("blog", "stop", "off");
    const nowhere = await at(".", "up", "nosuch");
    expect(nowhere).toMatchObject({ code: 1, out: "" });
    expect(nowhere.err).toContain(`no locald.toml, Procfile.dev or Procfile in ${folder}`);
  },
  patience,
);

test(
  "a profile starts its services, and one that no service has is a mistake before anything starts",
  async () => {
    const wrong = await at("blog", "up", "--profile", "tols");
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain(`${blog} has no profile "tols"; did you mean tools?`);
    expect((await at("blog", "up", "post", "--profile", "tools")).code).toBe(2);
    const upped = async (...args: string[]) => {
      const { out } = await at("blog", "up", "--json", ...args);
      return (JSON.parse(out) as Row[]).map((row) => `${row.service} ${row.state}`);
    };
    expect(await upped()).toEqual(["post ready"]);
    const whys = (await place.rows()).filter(({ project }) => project === blog);
    expect(Object.fromEntries(whys.map(({ service, why }) => [service, why]))).toEqual({
      drafts: "profile tools",
      off: "disabled",
      post: null,
    });
    expect(await upped("--profile", "tools")).toEqual(["drafts ready", "post ready"]);
    expect(await upped("off")).toEqual(["off ready"]);
    await stop(blog);
    const { out } = await cli(["up", "--json"], {
      env: { ...env(), LOCALHOSTESS_PROFILES: "elsewhere, tools" },
      cwd: join(folder, "blog"),
    });
    expect((JSON.parse(out) as Row[]).map((row) => row.service)).toEqual(["drafts", "post"]);
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
    // Without a daemon nothing runs, so that everything has stopped.
    const alone = (...args: string[]) =>
      cli(["wait", ...args], { env: { ...env(), ...other.env }, cwd: join(folder, "shop") });
    expect((await alone("slow")).code).toBe(1);
    expect((await alone("slow", "--for", "stopped")).code).toBe(0);
    expect(other.pids()).toEqual([]);
  },
  patience,
);
