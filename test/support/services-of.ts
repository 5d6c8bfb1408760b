/** An engine -> the tests of services of type container that it runs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ContainerRun, type RunEffects } from "../../src/containers/runs/container-run.ts";
import { systemClock } from "../../src/system/clock.ts";
import { containerSpec, madePlan } from "../containers/runs/made-plan.ts";
import { type ContainerEngine, containerEngine } from "./container-engine.ts";
import { endNow } from "./daemon-place.ts";
import { lacking } from "./debian.ts";
import { alike, type EngineName, lackingFor } from "./engine-needs.ts";
import { eventually } from "./eventually.ts";
import { hasTranspiler, lackingTranspiler } from "./plugin-calls.ts";
import { type ProjectPlace, projectPlace } from "./project-place.ts";
import { redisByPlugin } from "./redis-by-plugin.ts";
import { redisInContainer } from "./redis-in-container.ts";

const httpd = 'CMD ["/bin/httpd","-f","-p","80","-h","/www"]';

/** Milliseconds for a test in which a container is made and removed a few times, on a busy machine. */
const patience = 120_000;

export function servicesOf(kind: EngineName): void {
  describe(`services in containers of ${kind}`, () => run(kind));
}

function run(kind: EngineName): void {
  const needs = lackingFor(kind);
  if (needs !== "") {
    test.skip(`run, are ready, and leave nothing${needs}`, () => {});
    return;
  }
  const alikeTest = alike(kind);
  let engine: ContainerEngine;
  let place: ProjectPlace;
  let env: Record<string, string>;

  beforeAll(async () => {
    engine = await containerEngine(kind);
    place = await projectPlace();
    env = { PATH: process.env.PATH!, DOCKER_HOST: `unix://${engine.socket}` };
    await engine.image("shop/web:1", [httpd, "EXPOSE 80"]);
    await engine.image("shop/box:1", ['CMD ["/bin/sh"]']);
  }, patience);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await engine?.stop();
  }, patience);

  type Listed = {
    Id: string;
    State: string;
    Labels: Record<string, string>;
    Ports: { IP: string; PrivatePort: number; PublicPort: number }[];
  };

  /** Those of one project's folder. */
  async function containers(directory: string): Promise<Listed[]> {
    const all = JSON.parse(await engine.api("GET", "/containers/json?all=true")) as Listed[];
    return all.filter(({ Labels }) => Labels["localhostess.project"] === directory);
  }

  async function up(directory: string): Promise<void> {
    const lines = await place.up(directory, { env });
    expect(lines.at(-1)).toBe("Ok");
  }

  async function get(id: string): Promise<string> {
    const { url } = await place.row(id);
    const answer = await fetch(url!, { headers: { Host: new URL(url!).host } });
    return `${answer.status} ${await answer.text()}`;
  }

  test(
    "one is ready when the program inside answers, does so by its name, and leaves nothing when it is stopped",
    async () => {
      const directory = await place.project(
        "shop",
        `[services.search]
type = "container"
image = "shop/web:1"
container_port = 80
stop_timeout = "1s"
`,
      );
      await up(directory);
      expect(await get("shop:search")).toBe("200 from a container\n");
      const [its, ...others] = await containers(directory);
      expect(others).toEqual([]);
      expect(its!.Labels).toMatchObject({
        "localhostess.service": "search",
        "localhostess.name": "-",
      });
      const named = (await place.rows()).filter(({ name }) => name.includes("search"));
      expect(named).toHaveLength(1);
      await place.send({ Stop: { name: "shop:search" } });
      expect(await containers(directory)).toEqual([]);
      const networks = JSON.parse(await engine.api("GET", "/networks")) as { Name: string }[];
      expect(networks.filter(({ Name }) => Name.startsWith("localhostess-shop"))).toEqual([]);
    },
    patience,
  );

  alikeTest(
    "variables, words, user, folders, streams and the exit code of a program inside are what the file says",
    async () => {
      const directory = await place.project(
        "words",
        `[services.say]
type = "container"
image = "shop/box:1"
pty = false
restart = "no"
user = "1000:1000"
workdir = "/www"
volumes = ["kept:/kept", "./files:/files:ro"]
env = { COLOUR = "red \${project.name}", EMPTY = "" }
command = '''sh -c 'echo "$COLOUR|$1|$(pwd)|$HOME2|$(cat /files/note)"; id -u >&2; echo last words; exit 3' sh "two  words" '''
`,
      );
      await mkdir(join(directory, "files"));
      await place.write(join(directory, "files/note"), "a note\n");
      await place.up(directory, { env: { ...env, HOME2: "of the shell" } });
      const row = await place.until("words:say", ({ state }) => state === "exited");
      expect(row.exit).toMatchObject({ code: 3 });
      const logs = await place.logs("words:say");
      expect(logs).toContain("red words|two  words|/www||a note");
      expect(logs).toContain("1000");
      expect(logs).toContain("last words");
      expect(await containers(directory)).toEqual([]);
      const volumes = await engine.api("GET", "/volumes");
      expect(volumes).toMatch(/"Name":"localhostess-words-[0-9a-f]{8}-kept"/);
    },
    patience,
  );

  alikeTest(
    "a program that ignores the signal is killed after stop_timeout, and a check is run inside",
    async () => {
      const directory = await place.project(
        "deaf",
        `[services.deaf]
type = "container"
image = "shop/box:1"
command = '''sh -c 'trap "" TERM; sleep 1; echo > /ready; while :; do sleep 1; done' '''
stop_timeout = "1s"
health_check = { command = "cat /ready" }
`,
      );
      await up(directory);
      const begun = performance.now();
      await place.send({ Stop: { name: "deaf:deaf" } });
      expect(performance.now() - begun).toBeGreaterThan(900);
      expect(await containers(directory)).toEqual([]);
    },
    patience,
  );

  test(
    "a killed client, and a killed daemon, leave exactly one container to the next start, with its data",
    async () => {
      const directory = await place.project(
        "kills",
        `[services.web]
type = "container"
image = "shop/web:1"
container_port = 80
stop_timeout = "1s"
command = '''sh -c 'echo x >> /data/starts; exec httpd -f -p 80 -h /data' '''
volumes = ["data:/data"]
`,
      );
      await up(directory);
      const before = (await place.row("kills:web")).pid!;
      endNow(before);
      await place.until("kills:web", ({ state, pid }) => state === "ready" && pid !== before);
      expect(await containers(directory)).toHaveLength(1);

      for (const pid of place.daemon.pids()) endNow(pid);
      await eventually("the daemon ends", () => place.daemon.pids().length === 0);
      await place.daemon.start();
      await up(directory);
      await eventually(
        "one container is left",
        async () => (await containers(directory)).length === 1,
      );
      const { url } = await place.row("kills:web");
      const host = new URL(url!).host;
      const answer = await fetch(`${url}/starts`, { headers: { Host: host } });
      expect(await answer.text()).toBe("x\nx\nx\n");
    },
    patience,
  );

  alikeTest(
    "a container of a killed daemon goes with the next one, also where its project is not started; nobody else's",
    async () => {
      const directory = await place.project(
        "left",
        `[services.web]
type = "container"
image = "shop/box:1"
command = "sleep 1000"
stop_timeout = "1s"
`,
      );
      await up(directory);
      const { pid } = await place.row("left:web");
      const { Id } = JSON.parse(
        await engine.api("POST", "/containers/create", {
          Image: "shop/box:1",
          Labels: { "localhostess.owner": "another", "localhostess.run": "1" },
        }),
      ) as { Id: string };
      const pids = place.daemon.pids();
      // The client first, so that nothing asks the engine to stop anything.
      for (const each of pids) process.kill(each, "SIGSTOP");
      endNow(pid!);
      for (const each of pids) endNow(each);
      await eventually("the daemon ends", () => place.daemon.pids().length === 0);
      const path = join(place.daemon.directory, "state.json");
      const state = JSON.parse(await Bun.file(path).text());
      await Bun.write(path, JSON.stringify({ ...state, projects: [] }));
      await place.daemon.start();
      await eventually("it is removed", async () => (await containers(directory)).length === 0);
      await engine.api("DELETE", `/containers/${Id}`);
    },
    patience,
  );

  const redisTest = lacking(["redis-server"]) === "" ? alikeTest : test.skip;
  redisTest(
    "a redis has its password, which is in no command line, and its data in a volume",
    () => redisInContainer({ engine, place, env }),
    patience,
  );

  test.skipIf(lacking(["redis-server"]) !== "" || !hasTranspiler())(
    `a redis that a plugin makes has its port and its volume${lackingTranspiler()}`,
    () => redisByPlugin({ engine, place, env }),
    patience,
  );

  test(
    "an engine that is killed and started again ends with exactly one container that answers",
    async () => {
      const directory = await place.project(
        "again",
        `[services.web]
type = "container"
image = "shop/web:1"
container_port = 80
stop_timeout = "1s"
`,
      );
      await up(directory);
      const [before] = await containers(directory);
      await engine.restart();
      await eventually(
        "it answers",
        async () => {
          const { state } = await place.row("again:web");
          if (state !== "ready") return false;
          const [its, ...others] = await containers(directory);
          if (its?.State !== "running" || others.length > 0) return false;
          return (await get("again:web").catch(() => "")) === "200 from a container\n";
        },
        30_000,
      );
      const [after] = await containers(directory);
      // Podman's go on without it; Docker's are made anew.
      if (kind === "podman") expect(after!.Id).toBe(before!.Id);
      await place.send({ Stop: { name: "again:web" } });
      expect(await containers(directory)).toEqual([]);
    },
    patience,
  );

  test(
    "a new daemon goes on with the container of the one before",
    async () => {
      const directory = await place.project(
        "handed",
        `[services.web]
type = "container"
image = "shop/web:1"
container_port = 80
stop_timeout = "1s"
`,
      );
      await up(directory);
      const before = await place.row("handed:web");
      const [its] = await containers(directory);
      const ended = await place.daemon.run("server", "restart", "--port", "0");
      expect(ended.code).toBe(0);
      const after = await place.until("handed:web", ({ state }) => state === "ready");
      expect(after.pid).toBe(before.pid);
      expect((await containers(directory)).map(({ Id }) => Id)).toEqual([its!.Id]);
      expect(await get("handed:web")).toBe("200 from a container\n");
      await place.send({ Stop: { name: "handed:web" } });
      expect(await containers(directory)).toEqual([]);
    },
    patience,
  );

  alikeTest(
    "what is typed goes to the terminal of a container, and its bytes come out as they went in",
    async () => {
      let typed = "";
      const output: Buffer[] = [];
      const effects: RunEffects = {
        clock: systemClock,
        chooseEngine: async () => ({
          kind: "engine",
          engine: { socket: engine.socket, owner: 0, kind },
        }),
        noteEngine: () => Promise.resolve(),
        build: () => Promise.resolve({ kind: "cancelled" }),
        terminal: {
          size: () => ({ cols: 100, rows: 30 }),
          hear({ onBytes }) {
            onBytes(Buffer.from("two words\r"));
            return () => {};
          },
        },
        async write(_stream, bytes) {
          typed += Buffer.from(bytes).toString();
          output.push(Buffer.from(bytes));
        },
        ...{ status() {}, ready() {}, unready() {}, portOwners() {}, say() {} },
      };
      const spec = containerSpec({ image: "shop/box:1" });
      const words = ["sh", "-c", "read line; echo got:$line; exit 4"];
      const plan = madePlan({ spec, words, tty: true });
      expect(await new ContainerRun(plan, effects).run()).toEqual({ kind: "exited", code: 4 });
      expect(typed).toContain("got:two words\r\n");

      output.length = 0;
      const program = await Bun.file(Bun.which("busybox")!).bytes();
      const prints = madePlan({ spec, words: ["cat", "/bin/busybox", "/bin/busybox"] });
      expect(await new ContainerRun(prints, effects).run()).toEqual({ kind: "exited", code: 0 });
      expect(Buffer.concat(output).equals(Buffer.concat([program, program]))).toBe(true);
    },
    patience,
  );

  alikeTest(
    "a lazy one is started by a request and ends without any, is one row where containers have names, and reaches others",
    async () => {
      const config = join(engine.folder, "config.toml");
      await place.write(config, `containers = ["${engine.socket}"]\n`);
      await using other = await projectPlace({ LOCALHOSTESS_CONFIG: config });
      const directory = await other.project(
        "lazy",
        `[services.web]
type = "container"
image = "shop/web:1"
container_port = 80
ports = [81]
lazy = true
idle_timeout = "3s"
stop_timeout = "1s"
command = '''sh -c 'httpd -f -p 81 -h /bin & exec httpd -f -p 80 -h /www' '''
[services.plain]
type = "container"
image = "shop/web:1"
container_port = 80
disabled = true
stop_timeout = "1s"
[services.asks]
type = "container"
image = "shop/box:1"
restart = "no"
pty = false
disabled = true
command = '''sh -c 'for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://plain && exit 0; sleep 1; done; exit 1' '''
depends_on = ["plain"]
`,
      );
      // The default engine is another one, or none: config.toml says which.
      const own = { PATH: process.env.PATH! };
      expect((await other.up(directory, { env: own })).at(-1)).toBe("Ok");
      expect(await containers(directory)).toEqual([]);
      const { url } = await other.row("lazy:web");
      const ask = async () => {
        const answer = await fetch(url!, { headers: { Host: new URL(url!).host } });
        return await answer.text();
      };
      expect(await ask()).toBe("from a container\n");
      const { Ports } = (await containers(directory))[0]!;
      expect(Ports.map(({ IP, PrivatePort }) => `${IP}:${PrivatePort}`).sort()).toEqual([
        "127.0.0.1:80",
        "127.0.0.1:81",
      ]);
      const { Status } = await other.send<{ Status: { name: string; port: number }[] }>("Status");
      const published = Ports.map(({ PublicPort }) => PublicPort);
      const rows = Status.filter(({ port }) => published.includes(port));
      expect(rows.map(({ name }) => name)).toEqual(["lazy:web"]);
      await eventually("it rests", async () => (await containers(directory)).length === 0);
      // A lazy one would rest again before a busy machine has started the other.
      // Podman has no bridges here, on which containers find each other.
      if (kind === "docker") {
        await other.up(directory, { env: own, services: ["asks"] });
        const row = await other.until("lazy:asks", ({ state }) => state === "exited");
        expect(row.exit).toMatchObject({ code: 0 });
        expect(await other.logs("lazy:asks")).toContain("from a container");
      }
    },
    patience,
  );
}
