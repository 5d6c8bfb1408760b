/** The JSON of every verb: its shape, its style, and its errors, beside docs/json.md. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { grammar } from "../../src/cli/program.ts";
import { run } from "../../src/cli/run.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { ask, follow } from "../../src/control/found/client.ts";
import { commands } from "../../src/control/commands/commands.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { lacking } from "../support/debian.ts";
import { jsonFaults } from "../support/json-style.ts";
import { repository } from "../support/repository.ts";
import { uniqueName } from "../support/servers.ts";
import { describeWith } from "../support/with-programs.ts";
import { cli, type Env, environment, session } from "./cli.ts";
import { answers, shapes } from "./json-shapes.ts";
import { type TestServer, testServer } from "./server-process.ts";
import { temporarySystem, type TemporarySystem } from "./temporary-system.ts";

const patience = 120_000;

type Ran = { code: number; out: string; err: string };

/** In this process: a verb takes a few milliseconds then. */
async function ran(
  words: readonly string[],
  { env = {}, cwd = tmpdir(), home = tmpdir() }: { env?: Env; cwd?: string; home?: string } = {},
): Promise<Ran> {
  const { world, said } = played({ env: environment(env), cwd, home });
  return { code: await run(words, world), ...said() };
}

function played({ env, cwd, home }: Pick<World, "env" | "cwd" | "home">): {
  world: World;
  said(): { out: string; err: string };
} {
  const texts = { out: "", err: "" };
  const screen = (name: keyof typeof texts): Screen => ({
    write(text) {
      texts[name] += text;
      return true;
    },
    // A terminal: nothing of it may be in the JSON.
    columns: () => 80,
    colors: { ...noColors, red: (text) => `\x1b[31m${text}\x1b[39m` },
  });
  return {
    said: () => texts,
    world: {
      ...{ env, cwd, home, platform: process.platform },
      ...{ out: screen("out"), err: screen("err") },
      prompt: () => Promise.resolve(undefined),
      onSignal: () => () => {},
      onResize: () => () => {},
      exit() {},
    },
  };
}

/** By their words: `registry list`. */
function verbs(): Map<string, Command> {
  const { world } = played({ env: {}, cwd: "/", home: "/" });
  const found = new Map<string, Command>();
  const walk = (command: Command, words: readonly string[]): void => {
    for (const its of command.createHelp().visibleCommands(command)) {
      const all = [...words, its.name()];
      if (its.name() === "help") continue;
      if (its.commands.length === 0) found.set(all.join(" "), its);
      walk(its, all);
    }
  };
  walk(
    grammar(world, () => {}),
    [],
  );
  return found;
}

/** The values on stdout. @throws where there is anything else on it. */
function valuesIn(out: string, isStream: boolean): unknown[] {
  expect(out).not.toContain("\x1b");
  expect(out).toEndWith("\n");
  return (isStream ? out.trimEnd().split("\n") : [out]).map((text) => JSON.parse(text) as unknown);
}

/** Verbs whose answer was held against its shape. */
const held = new Set<string>();

function holdAnswer(
  verb: string,
  out: string,
  { isStream = answers[verb]!.stream ?? false } = {},
): unknown[] {
  const { shape } = answers[verb]!;
  const values = valuesIn(out, isStream);
  for (const value of values) {
    const read = v.safeParse(shape!, value);
    const issues = read.issues?.map((its) => `${v.getDotPath(its)}: ${its.message}`) ?? [];
    expect([verb, ...issues]).toEqual([verb]);
    if (!["env", "config schema", "api", "db url"].includes(verb))
      expect(jsonFaults(value, verb)).toEqual([]);
  }
  held.add(verb);
  return values;
}

/** The data of the event `hello`. */
function holdSnapshot({ daemon, services, supervised }: Record<string, unknown>): void {
  v.parse(shapes["Daemon report"]!, daemon);
  v.parse(v.array(shapes["Server report"]!), services);
  v.parse(v.pipe(v.array(shapes.Supervised!), v.minLength(3)), supervised);
}

type Failed = { code: string; message: string; hint: string | null };

function holdError(out: string, isStream = false): Failed {
  const value = valuesIn(out, isStream).at(-1);
  return v.parse(shapes.Error!, value).error as Failed;
}

describe("every verb", () => {
  test("has its answer in docs/json.md, and takes --json", () => {
    const all = verbs();
    expect(Object.keys(answers).sort()).toEqual([...all.keys()].sort());
    const without = [...all].filter(
      ([, its]) => !its.options.some((option) => option.long === "--json"),
    );
    expect(without.map(([verb]) => verb)).toEqual([]);
  });

  test("reports a mistake in its words as JSON, with the code of a usage error and its help", async () => {
    for (const verb of verbs().keys()) {
      const { code, out, err } = await ran([...verb.split(" "), "--json", "--no-such-option"]);
      const error = holdError(out);
      expect([verb, code, error.code]).toEqual([verb, 2, "usage"]);
      expect(error.message).toContain("--no-such-option");
      expect(error.hint).toContain("--help");
      // For a person the same sentence is where it always is.
      expect(err).toContain("--no-such-option");
    }
  });
});

test("words behind -- belong to another program, and are no --json of ours", async () => {
  const { code, out, err } = await ran(["add", "nope!", "--", "x", "--json"]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("nope!");
});

test("help and the version are JSON too, however they are asked for", async () => {
  for (const words of ["--version", "-V", "version"]) {
    const { code, out } = await ran([words, "--json"]);
    expect([code, JSON.parse(out)]).toEqual([0, { version: expect.any(String) }]);
  }
  for (const words of ["--help --json", "help up --json", "up -h --json", "--json help up"]) {
    const { code, out } = await ran(words.split(" "));
    expect([code, JSON.parse(out)]).toEqual([0, { help: expect.stringContaining("Usage: ") }]);
  }
});

test("--json may stand before the verb", async () => {
  await using place = await daemonPlace();
  for (const words of ["--json status", "--sandbox x --json status", "--json --sandbox x status"]) {
    const { code, out } = await ran(words.split(" "), { env: place.env });
    expect([words, code, holdError(out).code]).toEqual([words, 1, "not_running"]);
  }
});

test("a verb that needs another one behind it says so, and a word that is none gets the nearest", async () => {
  for (const verb of ["server", "registry", "worktree", "config", "service"]) {
    const { code, out } = await ran([verb, "--json"]);
    const { message, hint } = holdError(out);
    expect([code, hint]).toEqual([2, `localhostess ${verb} --help`]);
    expect(message).toStartWith(`${verb}: a command is missing`);
  }
  expect(holdError((await ran(["statsu", "--json"])).out)).toMatchObject({
    code: "usage",
    hint: "Did you mean status?",
  });
});

describe("a project and its daemon", () => {
  const name = uniqueName("json");
  let place: DaemonPlace;
  let server: TestServer;
  let root: string;
  let folder: string;
  let bin: string;
  /** Nobody else has a server there, whose page would not be let in. */
  let site: Bun.TCPSocketListener;
  let origin: string;

  beforeAll(async () => {
    site = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    origin = `http://127.0.0.1:${site.port}`;
    [place, server] = await Promise.all([daemonPlace(), testServer()]);
    root = await realpath(await mkdtemp(join(tmpdir(), "localhostess-json-")));
    [folder, bin] = [join(root, "shop"), join(root, "bin")];
    for (const path of [folder, bin, join(root, "empty"), join(root, "wrong")]) await mkdir(path);
    await mkdir(join(root, ".git"));
    await writeFile(
      join(folder, "locald.toml"),
      `[project]
name = "${name}"
[services.api]
command = """exec bun -e 'Bun.serve({port: process.env.PORT, fetch: () => new Response("x")}); console.log("listens")'"""
env = { GREETING = "hello" }
[services.ticks]
type = "worker"
command = "echo tick; exec sleep 100"
build = "echo built"
depends_on = ["api"]
[services.bad]
lazy = true
restart = "no"
command = "exit 3"
`,
    );
    await writeFile(join(root, "wrong/locald.toml"), "[services.api]\ncomand = 1\n");
    for (const opener of ["open", "xdg-open", "wslview"]) {
      await writeFile(join(bin, opener), "#!/bin/sh\n");
      await chmod(join(bin, opener), 0o755);
    }
    // Another machine that never lets us in.
    await writeFile(
      join(bin, "ssh"),
      "#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n",
    );
    await chmod(join(bin, "ssh"), 0o755);
    place.env.PATH = `${bin}:${process.env.PATH}`;
    const config = join(root, "config.toml");
    await writeFile(config, `allowed_origins = ["${origin}"]\n`);
    place.env.LOCALHOSTESS_CONFIG = config;
    await place.start();
  }, patience);

  afterAll(async () => {
    await ran(["stop", "--all"], options());
    await Promise.all([place[Symbol.asyncDispose](), server.end()]);
    site.stop(true);
    await rm(root, { recursive: true, force: true });
  }, patience);

  const options = (cwd = folder) => ({
    env: {
      ...place.env,
      PATH: `${bin}:${join(process.execPath, "..")}:${process.env.PATH}`,
    },
    cwd,
    home: root,
  });
  const answer = async (words: string, { code = 0, cwd = folder } = {}): Promise<unknown[]> => {
    const [first = "", second = ""] = words.split(" ");
    const verb = `${first} ${second}` in answers ? `${first} ${second}` : first;
    const [before, after] = words.split(" -- ");
    const typed = [...before!.split(" "), "--json", ...(after ? ["--", ...after.split(" ")] : [])];
    const got = await ran(typed, options(cwd));
    expect([words, got.code, got.code === code ? "" : got.err]).toEqual([words, code, ""]);
    return holdAnswer(verb, got.out);
  };
  const refused = async (words: string, cwd = folder): Promise<Failed & { exit: number }> => {
    const got = await ran([...words.split(" "), "--json"], options(cwd));
    return { ...holdError(got.out), exit: got.code };
  };

  test(
    "answers of the verbs have their shapes",
    async () => {
      await answer("up");
      const rows = (await answer("status"))[0] as { name: string; exit: unknown }[];
      expect(rows.map((row) => row.name)).toEqual([`${name}:api`, `${name}:bad`, `${name}:ticks`]);
      await answer("wait api");
      await answer("config check");
      await answer("config show");
      await answer("config show --provenance");
      await answer("config schema");
      await answer("remote add box me@box");
      expect(await answer("remote list")).toMatchObject([[{ name: "box", state: "refused" }]]);
      await answer("remote retry box", { code: 1 });
      await answer("remote remove box");
      await answer("registry list");
      await answer("registry pin");
      await answer("registry unpin");
      const { env, cwd } = options();
      const attached = await cli(["attach", "api", "--json"], { env, cwd });
      expect(attached.code).toBe(0);
      holdAnswer("attach", attached.out);
      await answer("run api -- true");
      await answer("try -- true");
      await answer("logs");
      await answer("restart ticks");
      await answer("build");
      for (const verb of ["ls", "ls --verbose", `url ${server.name}`, `port ${server.name}`]) {
        await answer(verb);
      }
      await answer("name no-such-place 1");
      await answer("name no-such-place");
      await answer("name");
      await answer("use");
      await answer("use --");
      await answer("name --remove no-such-place");
      await answer(`open ${server.name}`);
      await answer(`why ${server.name}`);
      await answer("why no-such-server", { code: 1 });
      await answer("pac");
      await answer("server status");
      await answer("dashboard");
      await answer(`connect ${origin}/`);
      await answer("completion bash");
      await answer("uninstall --dry-run");
      // Nobody but root has its ports without more ado.
      const whetherRoot = process.getuid?.() === 0 ? 0 : 1;
      await answer(`setup --ports --status --root ${root}`, { code: whetherRoot });
      await answer("version");
      await answer("upgrade --dry-run");
      await answer("api");
      await answer("api GetVersion");
      // The last line of a start is in the words of locald, and a failure all the same.
      const started = ["api", "Start", JSON.stringify({ project_path: join(root, "wrong") })];
      const { code, out } = await ran([...started, "--json"], options());
      expect([code, holdError(out, true).message.includes("comand")]).toEqual([1, true]);
      const none = ["api", "Logs", '{"service":"no-such"}', "--json"];
      const refused = await ran(none, options());
      expect([refused.code, valuesIn(refused.out, true).length]).toEqual([1, 1]);
      expect(holdError(refused.out, true).code).toBe("not_found");
      await answer("stop ticks");
      const wood = join(root, "wood");
      await mkdir(wood);
      const toml = `[project]\nname = "${name}-wood"\n[services.t]\ntype = "task"\ncommand = "true"\n`;
      const copy = '[worktree]\ncopy = [".gone"]\nsetup = "true"\n';
      await writeFile(join(wood, "locald.toml"), `${toml}${copy}`);
      await (await repository(wood)).commit("Wood");
      await answer("worktree add leaf", { cwd: wood });
      await answer("worktree list", { cwd: wood });
      await answer("worktree remove leaf", { cwd: wood });
      const shelf = join(root, "shelf");
      await mkdir(shelf);
      const db = `[project]\nname = "${name}-shelf"\n[services.db]\ntype = "postgres"\n`;
      await writeFile(join(shelf, "locald.toml"), db);
      for (const words of ["url", "reset", "list", "clean"])
        await answer(`db ${words}`, { cwd: shelf });
    },
    patience,
  );

  test(
    "a service that fails is an answer with the exit code 1",
    async () => {
      const [rows] = (await answer("up bad", { code: 1 })) as [{ state: string; exit: object }[]];
      expect(rows[0]).toMatchObject({ exit: { code: 3, signal: null } });
      await answer("wait bad --timeout 1s", { code: 1 });
    },
    patience,
  );

  test(
    "files are written, and projects forgotten, with an answer",
    async () => {
      await answer("init --yes", { cwd: join(root, "empty") });
      await answer("add web --port 3000 -- bun web.ts", { cwd: join(root, "empty") });
      await answer("service add worker jobs -- bun jobs.ts", { cwd: join(root, "empty") });
      await answer("service add postgres db", { cwd: join(root, "empty") });
      await answer("registry pin", { cwd: join(root, "empty") });
      await answer(`registry forget ${join(root, "empty")}`);
      await answer("registry clean");
    },
    patience,
  );

  test(
    "each failure has its code, its sentences, and what to do",
    async () => {
      const known: [words: string, code: string, hint: string | null, cwd?: string][] = [
        ["url no-such", "not_found", null],
        ["status no-such", "not_found", null],
        ["restart no-such", "not_found", null],
        ["up no-such", "not_found", null],
        ["attach bad", "not_up", "localhostess up"],
        ["connect http://localhost:1/", "forbidden", "localhostess server restart"],
        ["up", "no_project", "localhostess init", root],
        ["config show", "no_project", "localhostess init", root],
        ["up", "invalid_project", null, join(root, "wrong")],
        ["config show", "invalid_project", null, join(root, "wrong")],
        ["init --yes", "exists", null],
        ["add api -- x", "exists", null],
        ["registry forget no-such", "not_found", "localhostess registry list"],
        ["monitor", "unsupported", "localhostess"],
        ["api Service", "bad_request", null],
      ];
      for (const [words, code, hint, cwd] of known) {
        const [before, after] = words.split(" -- ");
        const typed = [...before!.split(" "), "--json", ...(after ? ["--", after] : [])];
        const got = await ran(typed, options(cwd));
        const error = holdError(got.out);
        expect([words, got.code, error.code, error.message]).toEqual([
          ...[words, 1, code],
          expect.any(String),
        ]);
        if (hint !== null) expect(error.hint).toStartWith(hint);
      }
      const wrong = await refused("up", join(root, "wrong"));
      expect(wrong.message).toContain("comand");
      const check = await answer("config check", { cwd: join(root, "wrong"), code: 1 });
      expect(check[0]).toMatchObject({
        mistakes: [expect.anything(), expect.stringContaining("comand")],
      });
    },
    patience,
  );

  test(
    "commands of the daemon answer in the same style, by both doors",
    async () => {
      const found = await place.find();
      if (found.kind !== "healthy") throw new Error(found.kind);
      const { socket } = found.registration;
      const inputs: Record<string, object> = { Service: { name: server.name } };
      const forms: Record<string, keyof typeof shapes> = {
        Daemon: "Daemon report",
        Services: "Server report",
        Service: "Server detail",
        Requests: "Request",
        RegistryList: "Project",
      };
      for (const { name: command, changes, streams } of commands) {
        if (changes || streams !== false) continue;
        const request = { [command]: inputs[command] ?? {} };
        const asked = await ask<Record<string, unknown>>(socket, request, { deadline: 20_000 });
        if (asked.kind === "failed") throw new Error(`${command}: ${asked.why}`);
        const value = typeof asked.value === "string" ? asked.value : Object.values(asked.value)[0];
        expect(jsonFaults(value, command)).toEqual([]);
        const form = shapes[forms[command] ?? ""];
        if (form === undefined) continue;
        for (const one of [value].flat()) v.parse(form, one);
      }
      for (const request of ["Events", { Logs: {} }]) {
        for await (const text of follow(socket, request)) {
          const value = JSON.parse(text) as { data?: Record<string, unknown> };
          expect(jsonFaults(value)).toEqual([]);
          if (value.data !== undefined) holdSnapshot(value.data);
          else v.parse(shapes.Line!, value);
          break;
        }
      }
    },
    patience,
  );
});

test("trust stores, variables and checks are answers, with a machine of their own", async () => {
  await using system: TemporarySystem = await temporarySystem();
  const its = { env: system.env, home: system.home };
  const got = async (words: string): Promise<void> => {
    const [verb = ""] = words.split(" ");
    const root = ["--root", system.root];
    const { out, code } = await ran([...words.split(" "), ...root, "--json"], its);
    expect([words, code <= 1]).toEqual([words, true]);
    holdAnswer(verb, out);
  };
  for (const words of ["trust --status", "trust", "trust", "env", "doctor", "untrust"]) {
    await got(words);
  }
  for (const words of ["install --dry-run", "uninstall --dry-run", "status"]) {
    const words0 = ["service", ...words.split(" "), "--root", system.root, "--json"];
    holdAnswer(`service ${words0[1]}`, (await ran(words0, its)).out);
  }
}, 120_000);

describeWith(["certutil"])("a browser", () => {
  test(
    "is named before it starts, and what it prints is not on stdout",
    async () => {
      await using system = await temporarySystem();
      await using place = await daemonPlace();
      await using named = await testServer();
      await place.start();
      const bin = join(system.home, "bin");
      await mkdir(bin);
      await writeFile(join(bin, "chromium"), "#!/bin/sh\necho page\n", { mode: 0o755 });
      const env = { ...system.env, ...place.env, PATH: `${bin}:/usr/bin:/bin` };
      const { out, err, code } = await cli(["browser", named.name, "--json"], { env });
      expect([code, err]).toEqual([0, "page\n"]);
      expect(holdAnswer("browser", out)).toEqual([
        {
          url: expect.stringMatching(new RegExp(`^https://${named.name}\\.localhost:\\d+/$`)),
          program: join(bin, "chromium"),
        },
      ]);
    },
    patience,
  );
});

test(
  "a daemon is started, replaced and stopped with an answer each",
  async () => {
    await using place = await daemonPlace();
    const its = { env: place.env };
    const answer = async (verb: string, ...more: string[]): Promise<object> => {
      const { out, code, err } = await cli([...verb.split(" "), ...more, "--json"], its);
      expect([verb, code, code === 0 ? "" : err]).toEqual([verb, 0, ""]);
      return holdAnswer(verb, out, { isStream: false })[0] as object;
    };
    const first = await answer("server start", "--detach", "--port", "0");
    expect(first).toMatchObject({ running: true });
    await answer("server restart");
    expect(await answer("server stop")).toMatchObject({ stopped: true });
    const away = await ran(["server", "status", "--json"], its);
    expect(away.code).toBe(1);
    expect(holdAnswer("server status", away.out)).toMatchObject([{ running: false }]);
  },
  patience,
);

test(
  "in the foreground it is a stream: itself, then every change",
  async () => {
    await using place = await daemonPlace();
    await using server = await testServer();
    const words = ["server", "start", "--port", "0", "--json"];
    await using daemon = session(words, { env: place.env, terminal: false });
    const text = await daemon.until((said) => said.includes(`"name":"${server.name}"`));
    const lines = text.split("\n").filter((its) => its.startsWith("{"));
    holdAnswer("server start", `${lines.join("\n")}\n`);
    expect(JSON.parse(lines[0]!)).toMatchObject({ running: true, pid: daemon.pid });
    daemon.signal("SIGTERM");
    expect(await daemon.ended()).toBe(0);
  },
  patience,
);

test(
  "without a daemon every verb that needs one fails as JSON, and what starts one says so",
  async () => {
    await using place = await daemonPlace();
    const its = { env: place.env, cwd: place.directory, home: place.directory };
    for (const words of ["status", "restart", "logs", "attach api", "wait api"]) {
      const { out, code } = await ran([...words.split(" "), "--json"], its);
      expect([words, code, holdError(out).code]).toEqual([words, 1, "not_running"]);
    }
    const stopped = await ran(["stop", "--json"], its);
    expect(holdAnswer("stop", stopped.out)).toEqual([[]]);
  },
  patience,
);

test(
  "serve prints a line once it listens",
  async () => {
    await using place = await daemonPlace();
    await place.start();
    const folder = join(place.directory, "its-files");
    await mkdir(folder);
    const options = { env: place.env, terminal: false };
    await using serving = session(["serve", folder, "--json"], options);
    const out = await serving.until((text) => text.endsWith("}\n"));
    expect(holdAnswer("serve", out)).toMatchObject([{ name: "its-files", path: folder }]);
    serving.signal("SIGTERM");
    expect(await serving.ended()).toBe(0);
  },
  patience,
);

test("every verb's answer was held against its shape", () => {
  const own = Object.keys(answers).filter((verb) => {
    const { shape, withDatabase, withPlugin } = answers[verb]!;
    return shape !== undefined && !withDatabase && !withPlugin;
  });
  const missing = lacking(["certutil"]) === "" ? [] : ["browser"];
  expect(own.filter((verb) => !held.has(verb))).toEqual(missing);
});
