/** Procfiles as people have them, from `up` to the environment of each process, with a real daemon. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";
import { cli } from "./cli.ts";

const patience = 120_000;
const name = uniqueName("proc");
let place: ProjectPlace;
let folder: string;

const server = `exec bun -e 'Bun.serve({port: process.env.PORT, fetch: () => new Response("hello")})'`;

beforeAll(async () => {
  place = await projectPlace();
  folder = await realpath(await mkdtemp(join(tmpdir(), `${name}-`)));
  await mkdir(join(folder, name, ".git"), { recursive: true });
  folder = join(folder, name);
  const files = {
    ".env": "PORT=5000\nGREETING=hello\nwhat is this\n",
    Procfile: "web: exit 1\n",
    "Procfile.dev": [
      "# Development.",
      `web: ${server}`,
      `my_api:\t${server}`,
      "jobs:echo jobs=$PORT greeting=$GREETING; exec sleep 1000",
    ].join("\r\n"),
    "Procfile.test": "only: echo only=$PORT; exec sleep 1000\n",
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
}, patience);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await rm(join(folder, ".."), { recursive: true, force: true });
}, patience);

const env = () => ({
  ...place.daemon.env,
  PATH: `${join(process.execPath, "..")}:${process.env.PATH}`,
});
const run = (...args: string[]) => cli(args, { env: env(), cwd: folder });
const rows = async (): Promise<Map<string, Row>> => {
  const all = await place.rows();
  return new Map(all.filter((row) => row.project === name).map((row) => [row.service, row]));
};

test(
  "every line of Procfile.dev has a PORT of its own, and an address where it listens",
  async () => {
    const up = await run("up");
    expect({ code: up.code, err: up.err }).toMatchObject({ code: 0 });
    expect(up.err).toContain("warning: .env:3 expected NAME=value");
    // A loaded machine may take longer than the second after which a process counts as ready.
    await eventually("my_api listens", async () => (await rows()).get("my_api")!.url !== null);
    const all = await rows();
    expect([...all.keys()].sort()).toEqual(["jobs", "my_api", "web"]);
    const ports = [...all.values()].map(({ port }) => port);
    expect(new Set(ports).size).toBe(3);
    expect(ports).not.toContain(5000);
    expect(all.get("my_api")!.url).toContain(`http://my-api.${name}.localhost`);
    expect(all.get("web")!.url).toContain(`http://${name}.localhost`);
    expect(all.get("jobs")).toMatchObject({ url: null, state: "ready", type: "process" });
    const { out } = await run("logs", "--no-color", "jobs");
    expect(out).toContain(`jobs=${all.get("jobs")!.port} greeting=hello`);
    expect(all.get("web")!.warnings).toEqual([".env:3 expected NAME=value; the line is ignored"]);
  },
  patience,
);

test(
  "-f names another file, which the next daemon starts again; without it the usual one counts",
  async () => {
    const checked = await run("config", "check", "-f", "Procfile.test");
    expect(checked.out).toBe(`${name}: no errors; 1 service: only\n`);
    expect(await run("up", "-f", "Procfile.test")).toMatchObject({ code: 0 });
    expect([...(await rows()).keys()]).toEqual(["only"]);
    await run("server", "restart");
    await eventually("it runs again", async () => (await rows()).get("only")?.state === "ready");
    expect((await run("up", "-f", "Procfile.none")).err).toContain("Procfile.none: no such file");
    expect((await run("up", "Procfile.dev", "jobs")).code).toBe(0);
    expect([...(await rows()).keys()].sort()).toEqual(["jobs", "my_api", "web"]);
  },
  patience,
);
