/** The verbs about services, as a person and as a script use them, with a real daemon. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import type { JsonForm } from "../../src/routes/json-form.ts";
import type { OutputLine } from "../../src/routes/project-report.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { uniqueName } from "../support/servers.ts";
import { eventually } from "../support/eventually.ts";
import { cli, session } from "./cli.ts";

const patience = 120_000;
const name = uniqueName("trial");
let place: DaemonPlace;
let folder: string;

const server = `bun -e 'Bun.serve({port: process.env.PORT, fetch: () => new Response("hello")}); console.log("listens")'`;

beforeAll(async () => {
  place = await daemonPlace();
  await place.start();
  folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-trial-")));
  await mkdir(join(folder, "below"));
  // Up to here a project is looked for.
  await mkdir(join(folder, ".git"));
  await writeFile(
    join(folder, "locald.toml"),
    `
[project]
name = "${name}"

[services.api]
command = """exec ${server}"""
env = { GREETING = "hello there" }

[services.ticks]
type = "worker"
command = "while :; do echo tick; sleep 0.2; done"
depends_on = ["api"]
env = { API_URL = "http://api.${name}.localhost:1/" }

[services.bad]
lazy = true
command = "echo 'no <database>'; exit 3"
`,
  );
}, patience);

afterAll(async () => {
  await run("stop");
  await place[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, patience);

const env = () => ({ ...place.env, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` });
const run = (...args: string[]) => cli(args, { env: env(), cwd: folder });
const rows = async (): Promise<Row[]> => JSON.parse((await run("status", "--json")).out) as Row[];
const states = async () =>
  Object.fromEntries((await rows()).map((row) => [row.service, row.state]));

test(
  "what was never up is not running, and what does not exist is a mistake",
  async () => {
    expect(await run("stop")).toMatchObject({ code: 0, out: "" });
    expect((await run("stop", "api")).code).toBe(0);
    const wrong = await run("stop", "nosuch");
    expect({ code: wrong.code, err: wrong.err }).toMatchObject({ code: 1 });
    expect(wrong.err).toContain("no service is named nosuch");
    expect((await run("stop", "ticsk")).err).toContain("no service is named ticsk");
    expect(await run("status", "--json")).toMatchObject({ code: 0, out: "[]\n" });
  },
  patience,
);

test(
  "up from a folder below starts all but what is lazy, and says where it is",
  async () => {
    const { code, out, err } = await cli(["up"], { env: env(), cwd: join(folder, "below") });
    expect(code).toBe(0);
    expect(out).toMatch(
      new RegExp(`^api +http://api\\.${name}\\.localhost:\\d+\nticks +\\(a worker\\)\n$`),
    );
    expect(err).toContain("api: ready in ");
    // A system whose resolver knows these names has nothing to be told.
    const host = `api.${name}.localhost`;
    const knows = (await lookup(host).catch(() => undefined)) !== undefined;
    const note = `! ${name}:ticks: API_URL names ${host}, which the system's resolver does not know`;
    expect(err.includes(note)).toBe(!knows);
    expect(await states()).toEqual({ api: "ready", bad: "stopped", ticks: "ready" });
    const again = await run("up", folder, "api");
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: "api: already ready\n" });
  },
  patience,
);

test(
  "up of what fails is 1, with the reason and its last lines",
  async () => {
    const { code, err } = await run("up", "bad");
    expect(code).toBe(1);
    expect(err).toContain(`${name}:bad ended with exit code 3`);
    expect(err).toContain("\n  no <database>\n");
    await run("stop", "bad");
  },
  patience,
);

test(
  "up of what is not declared says what is near, and a file with mistakes has each of them",
  async () => {
    expect((await run("up", "apii")).err).toContain(
      `${name} has no service apii; did you mean api?`,
    );
    const broken = join(folder, "broken");
    await mkdir(broken);
    await writeFile(
      join(broken, "locald.toml"),
      `[services.a]\ncommnd = "x"\n[services.b]\ncommand = "x"\ndepends_on = ["c"]\n`,
    );
    const { code, err } = await run("up", "broken");
    expect(code).toBe(1);
    expect(err).toContain("broken/locald.toml:2");
    expect(err).toContain("broken/locald.toml:5");
    await rm(broken, { recursive: true });
    expect((await run("up", "/nosuch/folder")).code).toBe(2);
  },
  patience,
);

test(
  "status tells all of a service, to people and to programs",
  async () => {
    const api = (await rows()).find((row) => row.service === "api")!;
    expect(api).toMatchObject({ name: `${name}:api`, state: "ready", ready: true, restarts: 0 });
    expect(api.memory).toBeGreaterThan(1_000_000);
    expect(api.uptime).toBeGreaterThan(0);
    const { out } = await run("status", "api");
    expect(out).toContain(String(api.pid));
    expect(out.trim().split("\n").length).toBe(2);
  },
  patience,
);

test(
  "logs are by time, bounded by lines and by age, and plain where nobody looks",
  async () => {
    const lines = (text: string) => text.trim().split("\n");
    const all = await run("logs");
    expect(all.out).toMatch(/^\d\d:\d\d:\d\d api {3}\| listens$/m);
    expect(all.out).toMatch(/^\d\d:\d\d:\d\d ticks \| tick$/m);
    expect(all.out).not.toContain("\x1b");
    expect(lines((await run("logs", "ticks", "--tail", "2")).out).length).toBe(2);
    expect((await run("logs", "api", "--since", "0s")).out).toBe("");
    const json = lines((await run("logs", "--json")).out).map(
      (line) => JSON.parse(line) as JsonForm<OutputLine>,
    );
    const times = json.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
    expect(json[0]).toMatchObject({ service: `${name}:api`, message: "listens" });
    const wrong = await run("logs", "--tail", "x", "--since", "y");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("--tail");
    expect(wrong.err).toContain("--since");
  },
  patience,
);

test(
  "logs -f goes on until Ctrl-C, in colours on a terminal",
  async () => {
    await using following = session(["logs", "-f", "--tail", "1", "ticks"], {
      env: env(),
      cwd: folder,
    });
    await following.until((text) => text.split("ticks |").length > 3);
    expect(following.output()).toMatch(/\x1b\[\d+m\d\d:\d\d:\d\d ticks \|/);
    following.signal("SIGINT");
    expect(await following.ended()).toBe(0);
    await using plain = session(["logs", "-f", "--no-color"], { env: env(), cwd: folder });
    expect(await plain.until((text) => text.includes("tick"))).not.toContain("\x1b");
  },
  patience,
);

test(
  "run has the service's environment, the arguments as they were, and the command's exit code",
  async () => {
    const script = 'echo "$GREETING|$NAME|$PORT|$1|$2"; exit 7';
    const { code, out } = await run("run", "api", "--", "sh", "-c", script, "x", "a  b", "*");
    const { port } = (await rows()).find((row) => row.service === "api")!;
    expect({ code, out }).toEqual({ code: 7, out: `hello there|api.${name}|${port}|a  b|*\n` });
    expect((await run("run", "api", "--", "sh", "-c", "kill -9 $$")).code).toBe(137);
    const missing = await run("run", "api", "--", "no-such-command");
    expect(missing).toMatchObject({
      code: 127,
      err: "localhostess: no-such-command: command not found\n",
    });
    expect((await run("run", "api")).code).toBe(2);
    expect((await run("run", "nosuch", "--", "true")).err).toContain("no service is named nosuch");
  },
  patience,
);

test(
  "outside every project, up and run tell of a name what every verb does",
  async () => {
    const cwd = place.directory;
    const away = (...args: string[]) => cli(args, { env: env(), cwd });
    const none = `no service is named ${name}:nosuch`;
    for (const words of [
      ["status", `${name}:nosuch`],
      ["run", `${name}:nosuch`, "--", "true"],
    ]) {
      expect(await away(...words)).toMatchObject({ code: 1, err: expect.stringContaining(none) });
    }
    const { err } = await away("up", `${name}:nosuch`);
    expect(err).toContain(none);
    expect(err).toContain("create one with: localhostess init");
    const upper = `${name}:API`.toUpperCase();
    expect((await away("up", upper)).code).toBe(0);
    expect((await away("run", upper, "--", "true")).code).toBe(0);
  },
  patience,
);

test(
  "up says where a service listens that is ready by its own word, and not on its port",
  async () => {
    const cwd = join(folder, "elsewhere");
    await mkdir(cwd);
    const serve = `const { port } = Bun.serve({ port: 0, fetch: () => new Response("x") }); console.log("at", port)`;
    await writeFile(
      join(cwd, "locald.toml"),
      `[services.api]\ncommand = """exec bun -e '${serve}'"""\nready_pattern = "at"\n`,
    );
    const up = await cli(["up"], { env: env(), cwd });
    const { out: output } = await cli(["logs", "api"], { env: env(), cwd });
    const port = /at (\d+)/.exec(output)![1]!;
    expect({ code: up.code, out: up.out }).toEqual({
      code: 0,
      out: expect.stringContaining("api"),
    });
    expect(up.err).toContain(`! elsewhere:api listens on port ${port}, not on PORT=`);
    expect(up.err).toContain(`; let it listen on $PORT, or set port = ${port} in locald.toml\n`);
    await cli(["stop"], { env: env(), cwd });
    expect((await cli(["registry", "forget", "elsewhere"], { env: env(), cwd })).code).toBe(0);
  },
  patience,
);

test(
  "try gives one command a port and a name, and its exit code back",
  async () => {
    const called = uniqueName("attempt");
    const { code, out, err } = await run(
      "try",
      "--name",
      called,
      "--",
      "sh",
      "-c",
      'echo "$NAME $PORT"; exit 4',
    );
    expect(code).toBe(4);
    expect(out).toMatch(new RegExp(`^${called} \\d+\n$`));
    expect(err).toContain(`http://${called}.localhost:`);
    expect((await run("try")).code).toBe(2);
    expect((await run("try", "--name", "no good", "--", "true")).code).toBe(2);
  },
  patience,
);

test(
  "try in a folder whose name a server has already takes another",
  async () => {
    const called = uniqueName("twice");
    const cwd = join(folder, called);
    await mkdir(cwd);
    const serve = `Bun.serve({ port: process.env.PORT, fetch: () => new Response() }); console.log("up")`;
    await using first = session(["try", "--", process.execPath, "-e", serve], {
      env: env(),
      cwd,
      terminal: false,
    });
    await first.until((text) => text.includes("up\n"));
    const second = await cli(["try", "--", "sh", "-c", 'echo "$NAME"'], { env: env(), cwd });
    expect(second).toMatchObject({ code: 0, out: `${called}-2\n` });
    first.signal("SIGTERM");
    await first.ended();
    await rm(cwd, { recursive: true });
  },
  patience,
);

test(
  "try on a terminal offers to keep the command",
  async () => {
    const kept = join(folder, "kept");
    await mkdir(kept);
    await writeFile(join(kept, "locald.toml"), `[project]\nname = "kept"\n`);
    const trial = ["try", "--", "sh", "-c", "echo tried"];
    await using refused = session(trial, { env: env(), cwd: kept });
    await refused.until((text) => text.includes("[y/N, or another name] "));
    refused.type("\n");
    expect(await refused.ended()).toBe(0);
    expect(readFileSync(join(kept, "locald.toml"), "utf8")).not.toContain("tried");
    await using trying = session(trial, { env: env(), cwd: kept });
    await trying.until((text) => text.includes("Add sh "));
    trying.type("tool\n");
    expect(await trying.ended()).toBe(0);
    const text = readFileSync(join(kept, "locald.toml"), "utf8");
    expect(text).toContain("tool");
    expect(text).toContain("echo tried");
    await rm(kept, { recursive: true });
  },
  patience,
);

test(
  "restart gives a service another process, and ends when it is ready",
  async () => {
    const pid = async () => (await rows()).find((row) => row.service === "api")!.pid;
    const before = await pid();
    const { code, err } = await run("restart", `${name}:api`);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(await pid()).not.toBe(before);
    expect((await run("restart", "nosuch")).code).toBe(1);
  },
  patience,
);

test(
  "the registry knows the project, pinned or not",
  async () => {
    const known = async () =>
      JSON.parse((await run("registry", "list", "--json")).out) as unknown[];
    expect(await known()).toMatchObject([{ path: folder, name, pinned: false }]);
    expect((await run("registry", "pin")).code).toBe(0);
    expect(await known()).toMatchObject([{ pinned: true }]);
    expect((await run("registry", "unpin", folder)).code).toBe(0);
    expect((await run("registry", "clean")).out).toContain("forgot 0 projects");
    expect((await run("registry", "pin", "/nosuch")).code).toBe(2);
  },
  patience,
);

test(
  "the monitor shows services and output, stops and starts by key, follows the terminal's size, and leaves it clean",
  async () => {
    await using monitor = session(["monitor"], { env: env(), cwd: folder, columns: 100 });
    await monitor.until((text) => text.includes(`${name}:api`) && text.includes("listens"));
    monitor.type("\x1b[B\x1b[B");
    await monitor.until((text) => text.includes("tick\x1b"));
    monitor.type("x");
    await eventually("it stops", async () => (await states()).ticks === "stopped");
    monitor.type("s");
    await eventually("it is ready", async () => (await states()).ticks === "ready");
    const before = monitor.output().length;
    monitor.resize(40);
    await monitor.until((text) => /…(?:\x1b\[\d+m)*\x1b\[K/.test(text.slice(before)));
    monitor.type("q");
    expect(await monitor.ended()).toBe(0);
    expect(monitor.output()).toEndWith("\x1b[?25h\x1b[?1049l");

    await using killed = session(["monitor"], { env: env(), cwd: folder });
    await killed.until((text) => text.includes(`${name}:api`));
    killed.signal("SIGTERM");
    await killed.ended();
    expect(killed.output()).toEndWith("\x1b[?25h\x1b[?1049l");
    const nowhere = await run("monitor");
    expect({ code: nowhere.code, err: nowhere.err }).toMatchObject({ code: 1 });
    expect(nowhere.err).toContain("localhostess logs -f");
  },
  patience,
);

test(
  "a terminal that was taken over is given back by a fault of ours, which is told on it",
  async () => {
    let text = "";
    const decoder = new TextDecoder();
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "fixtures/crashing.ts")], {
      terminal: {
        cols: 80,
        rows: 24,
        data(_, bytes) {
          text += decoder.decode(bytes);
        },
      },
    });
    expect(await child.exited).toBe(1);
    child.terminal!.close();
    const given = text.indexOf("\x1b[?1049l");
    expect(given).toBeGreaterThan(text.indexOf("\x1b[?1049h"));
    expect(text.indexOf("a fault of ours")).toBeGreaterThan(given);
  },
  patience,
);

test(
  "on a terminal the steps of up are drawn, and its cursor is back at the end",
  async () => {
    await run("stop");
    await using up = session(["up"], { env: env(), cwd: folder });
    expect(await up.ended()).toBe(0);
    expect(up.output()).toContain("\x1b[?25l");
    expect(up.output()).toMatch(/✓\S* ticks {2}\S*ready in/);
    expect(up.output().lastIndexOf("\x1b[?25h")).toBeGreaterThan(
      up.output().lastIndexOf("\x1b[?25l"),
    );
  },
  patience,
);

test(
  "in the foreground it shows what services print, and Ctrl-C stops them",
  async () => {
    await run("stop");
    await using foreground = session(["up", "-f"], { env: env(), cwd: folder, terminal: false });
    await foreground.until((text) => text.includes("ticks: ready") && text.includes("| tick"));
    foreground.signal("SIGINT");
    expect(await foreground.ended()).toBe(0);
    expect(await states()).toEqual({ api: "stopped", bad: "stopped", ticks: "stopped" });
  },
  patience,
);

test(
  "what a slow service waits for is told by up, status and why, and it goes on when nobody waits any more",
  async () => {
    const slow = join(folder, "slow");
    await mkdir(slow);
    const its = `${name}-slow`;
    await writeFile(
      join(slow, "locald.toml"),
      `[project]\nname = "${its}"\n[services.web]\ncommand = "exec sleep 1000"\n`,
    );
    const here = { env: env(), cwd: slow };
    await using up = session(["up"], { ...here, terminal: false });
    const text = await up.until((its) => its.includes("waits for its port"));
    const port = /^web: waits for its port (\d+)$/m.exec(text)?.[1];
    expect(port).toBeDefined();
    up.signal("SIGINT");
    expect(await up.ended()).toBe(1);
    const status = await cli(["status", `${its}:web`], here);
    expect(status.out).toContain(`  ${its}:web is starting: waits for its port ${port}; `);
    const why = await cli(["why", its], here);
    expect(why.code).toBe(1);
    expect(why.out).toContain(`${its}:web is starting: waits for its port ${port}\n`);
    expect(why.out).toContain(`localhostess logs ${its}:web`);
    await cli(["stop"], here);
    const down = await cli(["why", its], here);
    expect(down.out).toContain(`${its}:web is stopped\n`);
    expect(down.out).toContain("localhostess up ");
    await rm(slow, { recursive: true });
  },
  patience,
);

test(
  "without a daemon every verb says so, or starts one",
  async () => {
    await using other = await daemonPlace();
    const alone = (...args: string[]) =>
      cli(args, { env: { ...env(), ...other.env }, cwd: folder });
    for (const words of [["stop"], ["status"], ["logs"], ["restart", "api"], ["stop", "api"]]) {
      const { code, err } = await alone(...words);
      expect(err).toContain("the daemon is not running");
      expect(code).toBe(words[0] === "stop" ? 0 : 1);
    }
    expect((await alone("stop", "nosuch")).code).toBe(1);
    const { error } = JSON.parse((await alone("status", "--json")).out);
    expect(error).toMatchObject({ code: "not_running", hint: "localhostess up" });
    expect(other.pids()).toEqual([]);
  },
  patience,
);
