/** A project of eight, one of each kind, in a clone of a repository -> what is up of it, and what is left of it. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { SupervisedStatus } from "../../src/routes/project-report.ts";
import type { Registration } from "../../src/control/found/protocol.ts";
import { ask } from "../../src/control/found/client.ts";
import { command, environment, type Ended } from "../cli/cli.ts";
import { type ContainerEngine, containerEngine, lackingNamespaces } from "./container-engine.ts";
import { type DaemonPlace, daemonPlace } from "./daemon-place.ts";
import { lacking } from "./debian.ts";
import { eventually } from "./eventually.ts";
import { ended } from "./ended.ts";
import { repository } from "./repository.ts";

const viteProgram = resolve(import.meta.dir, "../../node_modules/vite/bin/vite.js");
const vitePage = resolve(import.meta.dir, "../e2e/fixtures/vite");

/** For a test's title, empty where all of it can run. */
export function lackingForWhole(): string {
  return (
    lacking([
      ...(["pg_ctl", "redis-server", "node", "dockerd", "rootlesskit", "slirp4netns"] as const),
      ...(["newuidmap", "runc", "busybox"] as const),
    ]) || lackingNamespaces()
  );
}

const files: Record<string, string> = {
  "locald.toml": `[project]
name = "shop"

[services.db]
type = "postgres"
version = 15
database = "shop"

[services.cache]
type = "redis"
from = "program"

[services.files]
type = "container"
image = "shop/files:1"
port = 80

[services.migrate]
type = "task"
command = "exec bun migrate.ts"
depends_on = ["db"]

[services.api]
command = "exec bun api.ts"
depends_on = ["db", "migrate", "cache", "files"]
env = { FILES = "\${services.files.url}" }

[services.worker]
type = "worker"
command = "exec bun worker.ts"
depends_on = ["db", "migrate", "cache"]
ready_pattern = "works"

[services.docs]
type = "site"
path = "docs"

[services.web]
command = 'exec node "$VITE" --port "$PORT" --strictPort'
depends_on = ["api"]
`,
  "migrate.ts": `const sql = new Bun.SQL(process.env.DATABASE_URL);
await sql\`CREATE TABLE IF NOT EXISTS goods (name text PRIMARY KEY)\`;
await sql\`CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY)\`;
await sql\`INSERT INTO goods VALUES ('kettle') ON CONFLICT DO NOTHING\`;
await sql.close();
`,
  "api.ts": `const sql = new Bun.SQL(process.env.DATABASE_URL);
const redis = new Bun.RedisClient(process.env.REDIS_URL);
Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  async fetch() {
    const goods = await sql\`SELECT name FROM goods\`;
    const orders = await sql\`SELECT id FROM orders\`;
    const file = await fetch(process.env.FILES).then((its) => its.text());
    const worked = await redis.get("worked");
    const ids = orders.map((its) => Number(its.id));
    return Response.json({ goods: goods.map((its) => its.name), orders: ids, file, worked });
  },
});
`,
  // A line is written once its row is committed: these are the rows that may never be lost.
  "worker.ts": `import { appendFileSync } from "node:fs";
const sql = new Bun.SQL(process.env.DATABASE_URL);
const redis = new Bun.RedisClient(process.env.REDIS_URL);
for (let first = true; ; first = false) {
  const [{ id }] = await sql\`INSERT INTO orders DEFAULT VALUES RETURNING id\`;
  appendFileSync(process.env.COMMITTED, id + "\\n");
  await redis.set("worked", String(id));
  if (first) console.log("works");
  await Bun.sleep(50);
}
`,
  "docs/index.html": "<h1>The handbook</h1>\n",
};

/** Service -> the services that have to be ready, or completed, before it starts. */
export const edges: Readonly<Record<string, readonly string[]>> = {
  migrate: ["db"],
  api: ["db", "migrate", "cache", "files"],
  worker: ["db", "migrate", "cache"],
  web: ["api"],
};

export const names = ["api", "cache", "db", "docs", "files", "migrate", "web", "worker"];

export interface WholeProject extends AsyncDisposable {
  daemon: DaemonPlace;
  engine: ContainerEngine;
  /** The clone. */
  directory: string;
  /** A command of ours in the clone, until its end. */
  run(...args: string[]): Promise<Ended>;
  rows(): Promise<Map<string, SupervisedStatus>>;
  /** The answer of the API, by its name. */
  shop(): Promise<{ goods: string[]; orders: number[]; file: string; worked: string }>;
  /** The text at a name of the project. */
  page(name: string, path?: string): Promise<string>;
  /** Ids of rows that are committed, by the word of the worker. */
  committed(): Promise<number[]>;
  /** Those of the project, whatever their state, by their services. */
  containers(): Promise<string[]>;
  /** Command lines of processes that have come of the project: by their variables, their words or their folder. */
  processes(): string[];
}

export async function wholeProject(): Promise<WholeProject> {
  const [daemon, engine] = await Promise.all([daemonPlace(), containerEngine("docker")]);
  await engine.image("shop/files:1", [
    'CMD ["/bin/httpd","-f","-p","80","-h","/www"]',
    "EXPOSE 80",
  ]);
  const source = join(daemon.directory, "source");
  const directory = join(daemon.directory, "projects", "shop");
  const committed = join(daemon.directory, "committed");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(source, path, ".."), { recursive: true });
    await writeFile(join(source, path), text);
  }
  await cp(vitePage, source, { recursive: true });
  const made = await repository(source);
  await made.commit("A shop");
  await made.git("clone", "--quiet", source, directory);
  const env = {
    ...daemon.env,
    ...{ DOCKER_HOST: `unix://${engine.socket}`, VITE: viteProgram, COMMITTED: committed },
    LOCALHOSTESS_PORT: "0",
  };
  const run: WholeProject["run"] = (...args) =>
    ended(command(...args), { env: environment(env), cwd: directory });

  /** A daemon on a busy machine may be silent for a moment. */
  const found = async () => {
    let registration: Registration | undefined;
    await eventually("the daemon answers", async () => {
      const its = await daemon.find();
      if (its.kind === "healthy") registration = its.registration;
      return registration !== undefined;
    });
    return registration!;
  };
  const page: WholeProject["page"] = async (name, path = "/") => {
    const { port } = await found();
    const host = `${name === "web" ? "" : `${name}.`}shop.localhost`;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { host } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${host}${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text;
  };

  return {
    ...{ daemon, engine, directory, run, page },
    async rows() {
      const { socket } = await found();
      const asked = await ask<{ Status: SupervisedStatus[] }>(socket, "Status", {
        deadline: 20_000,
      });
      if (asked.kind === "failed") throw new Error(asked.why);
      const own = asked.value.Status.filter(({ name }) => name.startsWith("shop:"));
      return new Map(own.map((row) => [row.name.slice("shop:".length), row]));
    },
    shop: async () => JSON.parse(await page("api")),
    async committed() {
      const text = await readFile(committed, "utf8").catch(() => "");
      // A line that was cut in half says nothing.
      return text.split("\n").slice(0, -1).map(Number);
    },
    async containers() {
      const all = JSON.parse(await engine.api("GET", "/containers/json?all=true")) as {
        Labels: Record<string, string>;
      }[];
      return all
        .filter(({ Labels }) => Labels["localhostess.project"] === directory)
        .map(({ Labels }) => Labels["localhostess.service"]!)
        .sort();
    },
    processes: () => processesOf([daemon.directory, daemon.env.LOCALHOSTESS_STORES_DIR ?? ""]),
    async [Symbol.asyncDispose]() {
      await run("stop", "--all").catch(() => {
        // Nothing runs, or no daemon does; its end is below.
      });
      await daemon[Symbol.asyncDispose]();
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Without daemons and commands of ours, and without this process. */
function processesOf(folders: readonly string[]): string[] {
  const all = folders.filter((folder) => folder !== "");
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "latin1");
      const list = words.split("\0");
      if (words === "" || list.includes("start") || list.includes("--background")) return [];
      // Not the variables alone: servers such as PostgreSQL write their titles over them.
      const known = [
        words,
        readFileSync(`/proc/${name}/environ`, "latin1"),
        readlinkSync(`/proc/${name}/cwd`),
      ];
      if (!known.some((text) => all.some((folder) => text.includes(folder)))) return [];
      return [`${name} ${list.join(" ").trim()}`];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
