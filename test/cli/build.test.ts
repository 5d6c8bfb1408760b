/** Services that are built: by `up` before they start, and by `localhostess build` at the terminal. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildReport } from "../../src/cli/projects/build.ts";
import { over } from "../support/built-order.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";
import { cli, command, environment } from "./cli.ts";

const patience = 120_000;
const name = uniqueName("built");
let place: ProjectPlace;
let folder: string;

const serve = `exec bun -e '
  const text = await Bun.file("dist/out.txt").text();
  Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response(text) });
'`;

const toml = `[project]
name = "${name}"
[services.front]
type = "site"
path = "public"
build = "mkdir -p public; cp dist/out.txt public/index.html"
depends_on = ["api"]
[services.api]
command = """${serve}"""
build = "echo compiles; while test -e hold; do sleep 0.05; done; mkdir -p dist; cat src/*.txt > dist/out.txt; echo once >> count"
inputs = ["src/**"]
start_timeout = "20s"
[services.bad]
disabled = true
command = "touch started"
build = "echo syntax error in line 1; exit 3"
`;

const slow = `[services.web]
command = "touch started"
build = "sleep 1000 & echo $! > child; wait"
`;

beforeAll(async () => {
  place = await projectPlace();
  folder = await place.project(name, toml);
  await Bun.$`mkdir -p ${join(folder, "src")}`;
  await place.write(join(folder, "src/a.txt"), "one");
}, patience);

afterAll(() => place[Symbol.asyncDispose](), patience);

const env = () => ({
  ...place.daemon.env,
  PATH: `${join(process.execPath, "..")}:${process.env.PATH}`,
});
const run = (...args: string[]) => cli(args, { env: env(), cwd: folder });
const counted = () => readFileSync(join(folder, "count"), "utf8").trim().split("\n").length;

async function built(...words: string[]) {
  const { code, out, err } = await run("build", "--json", ...words);
  return { code, err, services: (JSON.parse(out) as { services: BuildReport[] }).services };
}

async function served(): Promise<string> {
  const { port } = await place.row(`${name}:api`);
  return await (await fetch(`http://127.0.0.1:${port}/`)).text();
}

test(
  "up builds first, says so, and starts what depends on it after that",
  async () => {
    writeFileSync(join(folder, "hold"), "");
    const up = run("up");
    await place.until(`${name}:api`, ({ says }) => says?.startsWith("builds: echo") ?? false);
    expect((await place.row(`${name}:front`)).state).not.toBe("ready");
    const why = await run("why", `${name}:api`);
    expect(why.out).toContain(`${name}:api is starting: builds: echo compiles`);
    rmSync(join(folder, "hold"));
    const { code, err } = await up;
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining("api: ready in ") });
    expect(await served()).toBe("one");
    expect(readFileSync(join(folder, "public/index.html"), "utf8")).toBe("one");
    expect(await place.logs(`${name}:api`)).toContain("compiles");
    expect(await place.row(`${name}:api`)).toMatchObject({ says: null, type: "exec" });
    expect(existsSync(join(folder, "started"))).toBe(false);
  },
  patience,
);

test(
  "a restart builds nothing again where nothing has changed, and what has changed otherwise",
  async () => {
    expect((await run("restart", "api")).code).toBe(0);
    expect(counted()).toBe(1);
    writeFileSync(join(folder, "src/a.txt"), "two");
    expect((await run("restart", "api")).code).toBe(0);
    expect([counted(), await served()]).toEqual([2, "two"]);
  },
  patience,
);

test(
  "build builds all that has a build, each after what it depends on, and starts nothing",
  async () => {
    const { code, services } = await built();
    expect(code).toBe(1);
    expect(services.map((its) => [its.service, its.built, its.ran])).toEqual([
      [`${name}:api`, true, false],
      [`${name}:front`, true, true],
      [`${name}:bad`, false, true],
    ]);
    expect(existsSync(join(folder, "started"))).toBe(false);
  },
  patience,
);

test(
  "build of one service says whether anything ran, and --clean builds it all the same",
  async () => {
    const before = counted();
    const same = await built("api");
    const report = { service: `${name}:api`, built: true, processes: [], why: null };
    expect(same).toMatchObject({ code: 0, services: [{ ...report, ran: false }] });
    expect((await built("api", "--clean")).services).toMatchObject([{ ...report, ran: true }]);
    expect(counted()).toBe(before + 1);
    const shown = await run("build", "api", "--clean");
    expect({ code: shown.code, out: shown.out }).toEqual({ code: 0, out: "compiles\n" });
    expect(shown.err).toContain(`${name}:api: echo compiles; while`);
    expect(shown.err).toMatch(/: built in [\d.]+ m?s\n$/);
    expect((await run("build", "api")).err).toContain("nothing has changed since the last build");
  },
  patience,
);

test(
  "build of a service counts what its file says at that moment, and of a project it is all of it",
  async () => {
    const path = join(folder, "locald.toml");
    for (const word of ["one", "two", "three", "four", "five"]) {
      writeFileSync(path, toml.replace("syntax error", word));
      expect((await run("build", "bad")).out).toBe(`${word} in line 1\n`);
    }
    writeFileSync(path, toml);
    for (const all of [name, "."]) {
      const { services } = await built(all);
      expect(services.map(({ service }) => service)).toEqual(
        ["api", "front", "bad"].map((its) => `${name}:${its}`),
      );
    }
  },
  patience,
);

test(
  "a build that fails is told by up once, with its last lines, and is not tried again",
  async () => {
    const { code, err } = await run("up", "bad");
    expect(code).toBe(1);
    expect(err.match(/^localhostess: .*its build failed \(exit code 3\)/gm)).toHaveLength(1);
    expect(err.match(/^ *syntax error in line 1$/gm)).toHaveLength(1);
    const row = await place.row(`${name}:bad`);
    expect(row).toMatchObject({ state: "failed", restarts: 0 });
    expect((await run("why", `${name}:bad`)).out).toContain("its build failed (exit code 3)");
  },
  patience,
);

test(
  "the lines of an earlier process are not those of a service that does not start",
  async () => {
    const path = join(folder, "locald.toml");
    writeFileSync(path, toml.replace("[services.bad]", '[services.bad]\ntype = "nosuch"'));
    const { code, err } = await run("up", "bad");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`${name}:bad did not start: its type`),
    ]);
    expect(err).not.toContain("last lines of");
    writeFileSync(path, toml);
  },
  patience,
);

test(
  "by build it is told with the path of its lines, and with exit code 1",
  async () => {
    const { code, out, err } = await run("build", "bad");
    expect({ code, out }).toEqual({ code: 1, out: "syntax error in line 1\n" });
    expect(err).toContain(`localhostess: ${name}:bad: its build failed (exit code 3): echo syntax`);
    const path = /its output is kept in (.*)\n/.exec(err)![1]!;
    expect(readFileSync(path, "utf8")).toBe("syntax error in line 1\n");
    const { services } = await built("bad");
    expect(services).toMatchObject([{ built: false, ran: true }]);
    expect(services[0]!.why).toStartWith("its build failed (exit code 3)");
  },
  patience,
);

test(
  "Ctrl-C ends the build with all that it has started",
  async () => {
    const cwd = await place.project(uniqueName("slow"), slow);
    const child = Bun.spawn(command("build", "--json"), {
      env: environment(env()),
      ...{ cwd, stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true },
    });
    const pid = () => readFileSync(join(cwd, "child"), "utf8").trim();
    await eventually("it has begun", () => existsSync(join(cwd, "child")) && pid() !== "");
    child.kill("SIGINT");
    const [code, out] = await Promise.all([child.exited, child.stdout.text()]);
    expect(code).toBe(130);
    const { services } = JSON.parse(out) as { services: BuildReport[] };
    expect(services).toMatchObject([{ built: false, why: "its build was ended" }]);
    await over(Number(pid()));
    expect(existsSync(join(cwd, "started"))).toBe(false);
  },
  patience,
);

test(
  "a service without a build, and a name that nobody has, are mistakes",
  async () => {
    const other = await place.project(uniqueName("plain"), '[services]\nweb = "sleep 1000"\n');
    const none = await cli(["build"], { env: env(), cwd: other });
    expect(none.code).toBe(1);
    expect(none.err).toContain("no service of this project has a build");
    const one = await cli(["build", "web"], { env: env(), cwd: other });
    expect(one.err).toContain("web has no build");
    expect((await run("build", "nosuch")).err).toContain("nosuch");
    await place.write(join(other, "locald.toml"), "[services.web]\ncommand = 5\nbuild = 7\n");
    const lines = (await cli(["build"], { env: env(), cwd: other })).err.split("\n");
    expect(lines.slice(0, 2)).toEqual([
      expect.stringContaining("localhostess: locald.toml:2 services.web.command: "),
      expect.stringContaining("localhostess: locald.toml:3 services.web.build: "),
    ]);
  },
  patience,
);

test(
  "an image that no engine can build, and a service beside it that can be",
  async () => {
    const text = `[services.img]
build = { dockerfile = "Dockerfile" }
[services.web]
command = "sleep 1000"
build = "echo made"
`;
    const cwd = await place.project(uniqueName("image"), text);
    await place.write(join(cwd, "Dockerfile"), "FROM scratch\nCOPY nothing /\n");
    const { code, out } = await cli(["build", "--json"], { env: env(), cwd });
    const { services } = JSON.parse(out) as { services: BuildReport[] };
    expect(code).toBe(1);
    expect(services.map(({ built }) => built)).toEqual([false, true]);
    expect(services[0]!.why).toBeString();
  },
  patience,
);

test(
  "a project that is forgotten takes its builds with it",
  async () => {
    const builds = join(place.daemon.directory, "builds");
    const its = () => readdirSync(builds).filter((one) => one.startsWith(name));
    expect(its()).toHaveLength(1);
    expect((await run("stop")).code).toBe(0);
    const forgotten = await run("registry", "forget", name);
    expect({ code: forgotten.code, left: its() }).toEqual({ code: 0, left: [] });
  },
  patience,
);
