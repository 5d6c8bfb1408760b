/** Images of real engines that are run once, by their commands: Docker's and Podman's in turn. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { converse } from "../../src/control/found/conversation.ts";
import { follow } from "../../src/control/found/client.ts";
import { findDaemon } from "../../src/control/found/connect.ts";
import { systemClock } from "../../src/system/clock.ts";
import { cli, command, type Env, environment, freshState, session } from "../cli/cli.ts";
import {
  type ContainerEngine,
  containerEngine,
  lackingNamespaces,
} from "../support/container-engine.ts";
import { lacking, type ProgramName } from "../support/debian.ts";
import { eventually } from "../support/eventually.ts";
import { type Program, startProgram } from "../support/program.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

const engineNames = ["docker", "podman"] as const;

const needed: Record<(typeof engineNames)[number], readonly ProgramName[]> = {
  docker: ["dockerd", "rootlesskit", "slirp4netns", "newuidmap", "runc", "busybox"],
  podman: ["podman", "slirp4netns", "runc", "busybox"],
};

/** Milliseconds; engines copy whole images, on machines that do much else. */
const patience = 60_000;
const name = `tool${process.pid}`;
const image = `localhost/${name}`;

/** As the kernel names those of a process: `socket:[4711]`. */
function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((its) => readlinkSync(join(folder, its)));
  return links.filter((its) => its.startsWith("socket:"));
}

test("without an engine, a run says how to get one, and exits with 125", async () => {
  await using state = await freshState();
  const DOCKER_HOST = `unix://${state.directory}/nobody.sock`;
  const { code, err } = await cli(["container", "run", "alpine"], {
    env: { ...state.env, DOCKER_HOST },
  });
  expect(code).toBe(125);
  expect(err).toContain("no container engine answers");
  expect(err).toContain("start that engine, or change DOCKER_HOST");
});

test(
  "up without an engine: that service says how to get one, the rest starts, and the exit code is 1",
  async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "lone",
      '[services.search]\ntype = "container"\nimage = "search:1"\nport = 7700\n' +
        '[services.ticks]\ntype = "worker"\ncommand = "sleep 60"\n',
    );
    const socket = join(directory, "nobody.sock");
    const { code, out, err } = await cli(["up", directory], {
      env: { LOCALHOSTESS_STATE_DIR: place.daemon.directory, DOCKER_HOST: `unix://${socket}` },
    });
    expect(code).toBe(1);
    expect(`${out}${err}`).toContain(`no container engine answers (${socket}`);
    expect(`${out}${err}`).toContain("start that engine, or change DOCKER_HOST");
    expect(await place.row("lone:search")).toMatchObject({ state: "failed" });
    expect(await place.row("lone:ticks")).toMatchObject({ state: "ready" });
  },
  patience,
);

describe.each(engineNames)("images of %s", (kind) => {
  const needs = lacking(needed[kind]) || lackingNamespaces();
  if (needs !== "") {
    test.skip(`are run once${needs}`, () => {});
    return;
  }
  let engine: ContainerEngine;
  let daemon: Program;
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
    const off = { LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" };
    // A daemon in this process would wait for the children of the test.
    daemon = await startProgram([], { ...off, ...(env as Record<string, string>) });
    env = { ...env, LOCALHOSTESS_STATE_DIR: daemon.state };
    const found = await findDaemon(daemon.state, { clock: systemClock });
    if (found.kind !== "healthy") throw new Error(found.kind);
    socket = found.registration.socket;
  }, patience);
  afterAll(async () => {
    await daemon?.stop();
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

  test(
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

  test(
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

  test(
    "Ctrl-C ends a run without a terminal, and nothing is left",
    async () => {
      const words = [
        "container",
        "run",
        image,
        "sh",
        "-c",
        "trap 'exit 9' INT; echo up; while :; do read -t 1 x; done",
      ];
      const its = Bun.spawn(command(...words), {
        ...{ env: environment(env), stdin: "ignore", stdout: "pipe", stderr: "inherit" },
      });
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
        const its = Bun.spawn(command(...script("echo up; while :; do read -t 1 x; done")), {
          ...{ env: environment(of), stdin: "ignore", stdout: "pipe", stderr: "inherit" },
        });
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

  test(
    "a run goes on while the daemon is replaced, and the next one removes what a killed client leaves",
    async () => {
      const off = { LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" };
      const { LOCALHOSTESS_STATE_DIR: _, ...others } = env as Record<string, string>;
      const first = await startProgram([], { ...off, ...others });
      const own = { ...env, ...off, LOCALHOSTESS_STATE_DIR: first.state };
      try {
        const client = Bun.spawn(command(...script("echo up; while :; do read -t 1 x; done")), {
          ...{ env: environment(own), stdin: "ignore", stdout: "pipe", stderr: "inherit" },
        });
        await client.stdout.getReader().read();
        const before = socketsOf(client.pid);
        expect((await cli(["server", "restart"], { env: own })).code).toBe(0);
        expect(client.exitCode).toBeNull();
        expect(await containers()).toHaveLength(1);
        await eventually("the next daemon knows of it", () =>
          socketsOf(client.pid).some((its) => !before.includes(its)),
        );
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

  test(
    "a published port is answered through the image's name, on this machine alone",
    async () => {
      const words = ["container", "run", "-p", "8080", image];
      await using its = session([...words, "httpd", "-f", "-p", "8080", "-h", "/www"], { env });
      const headers = { host: `${name}.localhost` };
      const answers = async (): Promise<boolean> => {
        const answer = await fetch(`http://127.0.0.1:${daemon.port}/`, { headers });
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

  test(
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

  test(
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
      expect(await containers()).toHaveLength(1);
      leaving.end();
      await eventually("it is removed", async () => (await containers()).length === 0);
    },
    patience,
  );
  describe("of services", () => {
    let place: ProjectPlace;
    beforeAll(async () => {
      place = await projectPlace();
    }, patience);
    afterAll(async () => {
      await place?.[Symbol.asyncDispose]();
    }, patience);

    const shell = () => ({ env: { PATH: process.env.PATH!, DOCKER_HOST: env.DOCKER_HOST } });

    async function get(id: string): Promise<string> {
      const { url } = await place.row(id);
      return await (await fetch(url!, { headers: { Host: new URL(url!).host } })).text();
    }

    /** Those that are built for services, with a name or without. */
    async function built(): Promise<string[]> {
      const filters = encodeURIComponent('{"label":["localhostess.built"]}');
      const all = JSON.parse(await engine.api("GET", `/images/json?filters=${filters}`));
      return (all as { RepoTags: string[] | null }[]).map(({ RepoTags }) => String(RepoTags));
    }

    test(
      "one is built from its folder, answers by its name, and is built anew from what has changed",
      async () => {
        const directory = await place.project(
          "built",
          `[services.web]
type = "container"
build = { context = "src", args = { WORD = "given" }, target = "web" }
container_port = 80
stop_timeout = "1s"
`,
        );
        const src = join(directory, "src");
        mkdirSync(src);
        const file = `FROM ${image} AS web
ARG WORD=none
COPY page /www/index.html
RUN echo "building with $WORD"; echo $WORD >> /www/index.html
CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/www"]
FROM web AS other
RUN exit 1
`;
        writeFileSync(join(src, "Dockerfile"), file);
        writeFileSync(join(src, "page"), "the first\n");
        expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
        expect(await get("built:web")).toBe("the first\ngiven\n");
        expect(await place.logs("built:web")).toContain("building with given");
        // Of the container, and not of the client of its engine.
        expect(await place.row("built:web")).toMatchObject({
          ...{ command: "the image of its Dockerfile", cpu: null, memory: null },
        });
        writeFileSync(join(src, "page"), "the second\n");
        await place.send({ Stop: { name: "built:web" } });
        expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
        expect(await get("built:web")).toBe("the second\ngiven\n");
        // The one before is used by no container any more.
        const images = await built();
        expect(images).toHaveLength(1);
        expect(images[0]).toMatch(/localhostess\/built-[0-9a-f]{8}-web:latest/);
        await place.send({ Stop: { name: "built:web" } });
      },
      patience,
    );

    test(
      "one that cannot be built says at which step, and the rest starts",
      async () => {
        const directory = await place.project(
          "broken",
          '[services.web]\ntype = "container"\nbuild = "."\nport = 80\n' +
            '[services.ticks]\ntype = "worker"\ncommand = "sleep 60"\n',
        );
        writeFileSync(join(directory, "Dockerfile"), `FROM ${image}\nRUN echo working; exit 3\n`);
        const lines = await place.up(directory, shell());
        const sentence = "step 2/3 of Dockerfile failed with exit code 3: RUN echo working; exit 3";
        expect(lines.at(-1)).toEqual({ Error: expect.stringContaining(sentence) });
        expect(await place.row("broken:web")).toMatchObject({ state: "failed" });
        expect(await place.row("broken:ticks")).toMatchObject({ state: "ready" });
        expect(await place.logs("broken:web")).toContain("working");
        await place.send({ Stop: { name: "broken:ticks" } });
      },
      patience,
    );

    test(
      "attach is at the terminal of the program inside: keys, Ctrl-C and the size are its own",
      async () => {
        const directory = await place.project(
          "talk",
          `[services.shell]
type = "container"
image = "${image}"
stop_timeout = "1s"
command = '''sh -c 'trap "echo caught" INT; while :; do read -r x && echo got $x && busybox stty size; done' '''
`,
        );
        expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
        await using its = session(["attach", "talk:shell"], {
          ...{ env: { LOCALHOSTESS_STATE_DIR: place.daemon.directory }, columns: 87 },
        });
        await its.until((text) => text.includes("attached to talk:shell"));
        its.type("one\r");
        await its.until((text) => text.includes("got one"));
        // The size takes a while from terminal to terminal.
        await eventually("it has the size", () => {
          its.type("again\r");
          return its.output().includes("24 87");
        });
        its.type("\u0003");
        await its.until((text) => text.includes("caught"));
        its.type("two\r");
        await its.until((text) => text.includes("got two"));
        its.type("\u001d");
        expect(await its.ended()).toBe(0);
        expect(await place.row("talk:shell")).toMatchObject({ state: "ready" });
        await place.send({ Stop: { name: "talk:shell" } });
      },
      patience,
    );
  });
});
