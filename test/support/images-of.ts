/** An engine -> the tests of images that are run once by its containers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { converse } from "../../src/control/found/conversation.ts";
import { follow } from "../../src/control/found/client.ts";
import { findDaemon } from "../../src/control/found/connect.ts";
import { systemClock } from "../../src/system/clock.ts";
import { cli, command, type Env, environment, freshState, session } from "../cli/cli.ts";
import { builtServices } from "./built-services.ts";
import { type ContainerEngine, containerEngine } from "./container-engine.ts";
import { type DaemonPlace, daemonPlace } from "./daemon-place.ts";
import { alike, type EngineName, lackingFor } from "./engine-needs.ts";
import { eventually } from "./eventually.ts";
import { startProgram } from "./program.ts";

/** Milliseconds; engines copy whole images, on machines that do much else. */
const patience = 120_000;
const name = `tool${process.pid}`;
const image = `localhost/${name}`;

/** The inodes of connections that the daemon of this state directory has accepted at its socket. */
async function connections(state: string): Promise<string[]> {
  const found = await findDaemon(state, { clock: systemClock });
  if (found.kind !== "healthy") return [];
  // Its path is longer here: a daemon makes its socket under another name, and moves it into place.
  const path = ` ${found.registration.socket}`;
  const lines = readFileSync("/proc/net/unix", "latin1").split("\n");
  const its = lines.filter((line) => line.includes(path)).map((line) => line.split(/\s+/));
  // The one that it has replaced may talk with it over the same socket, and holds its own end.
  const held = descriptorLinks(found.registration.pid);
  // 03: connected.
  return its.flatMap(([, , , , , now, inode]) =>
    now === "03" && held.includes(`socket:[${inode}]`) ? [inode!] : [],
  );
}

/** One that is closed meanwhile has none. */
function descriptorLinks(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return [];
    }
  });
}

export function imagesOf(kind: EngineName): void {
  describe(`images of ${kind}`, () => run(kind));
}

function run(kind: EngineName): void {
  const needs = lackingFor(kind);
  if (needs !== "") {
    test.skip(`are run once${needs}`, () => {});
    return;
  }
  const alikeTest = alike(kind);
  let engine: ContainerEngine;
  let daemon: DaemonPlace;
  let port: number;
  let socket: string;
  let env: Env;
  const folder = mkdtempSync(join(tmpdir(), "lh-images-"));

  beforeAll(async () => {
    engine = await containerEngine(kind);
    const [first] = JSON.parse(await engine.api("GET", "/images/json")) as { Id: string }[];
    await engine.api("POST", `/images/${first!.Id}/tag?repo=${image}&tag=latest`);
    const config = join(folder, "config.toml");
    writeFileSync(config, `containers = ["${engine.socket}"]\n`);
    env = { LOCALHOSTESS_CONFIG: config, DOCKER_HOST: `unix://${engine.socket}` };
    daemon = await daemonPlace();
    env = Object.assign(daemon.env, env);
    ({ port, socket } = await daemon.start());
  }, patience);
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, patience);

  /** Without a daemon. */
  async function alone(): Promise<{ env: Env } & AsyncDisposable> {
    const state = await freshState();
    return {
      env: { ...env, ...state.env },
      [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
    };
  }

  async function containers(): Promise<string[]> {
    const all = JSON.parse(await engine.api("GET", "/containers/json?all=true"));
    return (all as { Id: string }[]).map(({ Id }) => Id);
  }

  /** Of a program inside that goes on until it is ended; a test that fails ends it, too. */
  const running = (text: string, of: Env) => {
    const its = Bun.spawn(command(...script(text)), {
      ...{ env: environment(of), stdin: "ignore", stdout: "pipe", stderr: "inherit" },
    });
    return Object.assign(its, { [Symbol.dispose]: () => its.kill("SIGKILL") });
  };

  const script = (text: string): string[] => ["container", "run", image, "sh", "-c", text];

  test(
    "output is kept apart, the exit code is the container's, and nothing is left",
    async () => {
      const ran = await cli(script("echo out; echo err >&2; exit 7"), { env });
      expect(ran).toEqual({ code: 7, out: "out\n", err: "err\n" });
      const json = await cli(["container", "run", "--json", image, "sh", "-c", "echo x"], { env });
      const told = `${JSON.stringify({ image, command: ["sh", "-c", "echo x"] })}\n`;
      expect(json).toEqual({ code: 0, out: told, err: "x\n" });
      const lost = await cli(["container", "run", image, "no-such-program"], { env });
      expect(lost.code).toBe(127);
      expect(lost.err).toMatch(/no.such|not found/i);
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  alikeTest(
    "whatever is piped in arrives, and so does its end; variables, folders and words are as they are typed",
    async () => {
      const child = Bun.spawn(command("container", "run", image, "cat"), {
        ...{ env: environment(env), stdin: "pipe", stdout: "pipe", stderr: "inherit" },
      });
      const bytes = Buffer.alloc(3_000_000, "0123456789abcdef\n");
      child.stdin.write(bytes);
      child.stdin.end();
      expect(Buffer.from(await new Response(child.stdout).arrayBuffer()).equals(bytes)).toBe(true);
      expect(await child.exited).toBe(0);
      writeFileSync(join(folder, "file"), "from here");
      const options = ["-e", "A=a b", "-e", "FROM_HERE", "-v", "./file:/in:ro"];
      const words = ["container", "run", ...options, image, "sh", "-c", 'echo "$A $FROM_HERE $*"'];
      const ran = await cli([...words, "x", "-v", "--json"], {
        ...{ env: { ...env, FROM_HERE: "yes" }, cwd: folder },
      });
      expect(ran).toEqual({ code: 0, out: "a b yes -v --json\n", err: "" });
    },
    patience,
  );

  alikeTest(
    "on a terminal it has one, with its size, and Ctrl-C is for the program inside",
    async () => {
      const loop =
        "trap 'echo caught' INT; while [ -z \"$size\" ]; do size=$(busybox stty size 2>/dev/null); done; echo $size; while :; do read -r x && echo got $x; done";
      await using its = session(script(loop), { env, columns: 93 });
      await its.until((text) => text.includes("24 93"));
      its.type("hello\r");
      await its.until((text) => text.includes("got hello"));
      its.type("\u0003");
      await its.until((text) => text.includes("caught"));
      its.resize(71);
      its.signal("SIGTERM");
      expect(await its.ended()).toBe(143);
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  alikeTest(
    "Ctrl-C ends a run without a terminal, and nothing is left",
    async () => {
      using its = running("trap 'exit 9' INT; echo up; while :; do read -t 1 x; done", env);
      const reader = its.stdout.getReader();
      await reader.read();
      its.kill("SIGINT");
      expect(await its.exited).toBe(9);
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  test(
    "a killed client leaves nothing: the daemon removes its container, and without one the next command",
    async () => {
      const killed = async (of: Env): Promise<void> => {
        using its = running("echo up; while :; do read -t 1 x; done", of);
        await its.stdout.getReader().read();
        its.kill("SIGKILL");
        await its.exited;
      };
      await killed(env);
      await eventually("the daemon has removed it", async () => (await containers()).length === 0);
      await using without = await alone();
      await killed(without.env);
      expect(await containers()).toHaveLength(1);
      expect((await cli(script("exit 0"), { env: without.env })).code).toBe(0);
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  alikeTest(
    "a run goes on while the daemon is replaced, and the next one removes what a killed client leaves",
    async () => {
      const off = { LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" };
      const { LOCALHOSTESS_STATE_DIR: _, ...others } = env as Record<string, string>;
      const first = await startProgram([], { ...off, ...others });
      const own = { ...env, ...off, LOCALHOSTESS_STATE_DIR: first.state };
      try {
        using client = running("echo up; while :; do read -t 1 x; done", own);
        await client.stdout.getReader().read();
        expect((await cli(["server", "restart"], { env: own })).code).toBe(0);
        expect(client.exitCode).toBeNull();
        expect(await containers()).toHaveLength(1);
        await eventually("the next daemon knows of it", async () => {
          const before = await connections(first.state);
          // Whoever looks whether a daemon answers has gone before a whole command is over.
          expect((await cli(["ls"], { env: own })).code).toBe(0);
          const now = await connections(first.state);
          return before.some((its) => now.includes(its));
        });
        client.kill("SIGKILL");
        await client.exited;
        await eventually("it is removed", async () => (await containers()).length === 0);
      } finally {
        await cli(["server", "stop"], { env: own });
        await first.stop();
      }
    },
    patience,
  );

  alikeTest(
    "a published port is answered through the image's name, on this machine alone",
    async () => {
      const words = ["container", "run", "-p", "8080", image];
      await using its = session([...words, "httpd", "-f", "-p", "8080", "-h", "/www"], { env });
      const headers = { host: `${name}.localhost` };
      const answers = async (): Promise<boolean> => {
        const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
        return (await answer.text()) === "from a container\n";
      };
      await eventually("it answers by its name", answers);
      const [its1] = JSON.parse(await engine.api("GET", "/containers/json")) as {
        Ports: { IP: string; PrivatePort: number }[];
      }[];
      expect(its1!.Ports.map(({ IP }) => IP)).toEqual(["127.0.0.1"]);
      its.signal("SIGTERM");
      expect(await its.ended()).toBe(143);
    },
    patience,
  );

  alikeTest(
    "a word that names no service is an image, unless it looks mistyped",
    async () => {
      const project = join(folder, "shop");
      mkdirSync(project);
      writeFileSync(
        join(project, "locald.toml"),
        `[project]\nname = "shop${process.pid}"\n[services.${name}s]\ncommand = "sleep 60"\n[services.api]\ncommand = "sleep 60"\n`,
      );
      const at = { env, cwd: project };
      const near = await cli(["run", name, "--", "true"], at);
      expect(near.code).toBe(1);
      expect(near.err).toContain(
        `to run an image of that name: localhostess container run ${name}`,
      );
      const service = await cli(["run", "-p", "80", "api", "--", "true"], at);
      expect(service).toMatchObject({ code: 2, err: expect.stringContaining("is for images") });
      expect((await cli(["run", "api", "--", "sh", "-c", "exit 3"], at)).code).toBe(3);
      expect((await cli(["run", image, "sh", "-c", "exit 4"], at)).code).toBe(4);
      const none = await cli(["run", "localhost/no-such-image:1"], at);
      expect(none.code).toBe(125);
      expect(none.err).toContain("image localhost/no-such-image:1 cannot be pulled");
    },
    patience,
  );

  alikeTest(
    "RunContainer streams the output as the first locald did, and ends with Ok or an Error",
    async () => {
      const lines = async (wanted: object): Promise<unknown[]> => {
        const all: unknown[] = [];
        for await (const line of follow(socket, { RunContainer: wanted }))
          all.push(JSON.parse(line));
        return all;
      };
      const words = ["sh", "-c", "echo hi"];
      const [log, ...rest] = await lines({
        ...{ image, command: words, interactive: false, detached: false },
      });
      expect(log).toEqual({
        type: "Log",
        data: {
          ...{ timestamp: expect.any(Number), service: "container" },
          ...{ stream: "stdout", message: "hi\n" },
        },
      });
      expect(rest).toEqual(["Ok"]);
      expect(await lines({ image, command: ["sh", "-c", "exit 3"] })).toEqual([
        { Error: "the container exited with code 3" },
      ]);
      expect(await lines({ image, detached: true })).toEqual([
        { error: expect.objectContaining({ code: "unsupported" }) },
      ]);
      const up = Promise.withResolvers<void>();
      const leaving = converse(
        socket,
        {
          RunContainer: { image, command: ["sh", "-c", "echo up; while :; do read -t 1 x; done"] },
        },
        { hear: () => up.resolve(), ended: () => up.resolve() },
      );
      await up.promise;
      const during = await containers().finally(() => leaving.end());
      expect(during).toHaveLength(1);
      await eventually("it is removed", async () => (await containers()).length === 0);
    },
    patience,
  );

  describe("of services", () => builtServices({ engine: () => engine, image }));
}
