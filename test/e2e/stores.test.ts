/** Stores of a project, from installed programs: real servers, and real clients of them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { RedisClient, SQL } from "bun";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "../support/with-programs.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";

const client = `exec bun -e '
  const { PORT, REDIS_URL } = process.env;
  const redis = new Bun.RedisClient(REDIS_URL);
  Bun.serve({
    port: Number(PORT),
    hostname: "127.0.0.1",
    fetch: async () => Response.json({ count: await redis.incr("count"), url: REDIS_URL }),
  });
'`;

describeWith(["redis-server"])("redis from an installed program", () => {
  let place: ProjectPlace;
  let directory: string;

  beforeAll(async () => {
    place = await projectPlace();
    directory = await place.project(
      "shop",
      `
[project]
name = "shop"

[services.cache]
type = "redis"
from = "program"
settings = { maxmemory = "64mb" }

[services.api]
command = """${client}"""
depends_on = ["cache"]
`,
    );
    await place.up(directory);
  }, 60_000);

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  }, 60_000);

  const asked = async (): Promise<{ count: number; url: string }> => {
    const { port } = await place.until("shop:api", ({ state }) => state === "ready");
    const answer = await fetch(`http://127.0.0.1:${port}`);
    return (await answer.json()) as { count: number; url: string };
  };
  const cache = () => place.until("shop:cache", ({ state }) => state === "ready");
  const connected = async (url: string, use: (redis: RedisClient) => Promise<void>) => {
    const redis = new RedisClient(url, { autoReconnect: false });
    try {
      await use(redis);
    } finally {
      redis.close();
    }
  };

  test("those that depend on it have REDIS_URL, and nobody comes in without the password", async () => {
    const { count, url } = await asked();
    expect(count).toBe(1);
    const { port, pid } = await cache();
    expect(url).toMatch(new RegExp(`^redis://:[\\w-]{24}@127.0.0.1:${port}/0$`));
    await connected(`redis://localhost:${port}`, async (redis) => {
      await expect(redis.get("count")).rejects.toThrow("NOAUTH");
    });
    // The one who asks whether it is ready may do nothing else.
    await connected(`redis://localhostess:x@localhost:${port}`, async (redis) => {
      expect(await redis.send("PING", [])).toBe("PONG");
      await expect(redis.get("count")).rejects.toThrow("NOPERM");
    });
    await connected(url, async (redis) => {
      expect(await redis.send("CONFIG", ["GET", "maxmemory"])).toMatchObject({
        maxmemory: "67108864",
      });
    });
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    expect(words).toStartWith("/usr/bin/redis-server 127.0.0.1");
    const password = new URL(url).password;
    const log = (await place.logs("shop:cache")).join("\n");
    for (const text of [words, log]) expect(text).not.toContain(password);
  });

  test("the server is the service's one process, and what has a secret is its owner's alone", async () => {
    const { pid } = await cache();
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    expect(children.trim()).toBe("");
    const [said] = (await place.logs("shop:cache")).flatMap(
      (line) => /its data is (\/.+)\/data$/.exec(line)?.[1] ?? [],
    );
    const modeOf = (name: string): number => statSync(join(said!, name)).mode & 0o777;
    expect(["password", "redis.conf", "data", "s"].map(modeOf)).toEqual([
      ...[0o600, 0o600, 0o700, 0o700],
    ]);
  });

  test("what was written is there after a restart, after kill -9 of it, and of the daemon", async () => {
    const before = await asked();
    await place.lines({ Restart: { name: "shop:cache" } });
    const restarted = await asked();
    expect(restarted.count).toBeGreaterThan(before.count);
    expect(restarted.url).toBe(before.url);

    await connected(before.url, async (redis) => {
      await redis.set("kept", "yes");
    });
    const { pid } = await cache();
    endNow(pid!);
    await place.until("shop:cache", (its) => its.state === "ready" && its.pid !== pid);
    await connected(before.url, async (redis) => {
      expect(await redis.get("kept")).toBe("yes");
    });

    for (const daemon of place.daemon.pids()) endNow(daemon);
    await eventually("the daemon ends", () => place.daemon.pids().length === 0);
    await place.daemon.start();
    await place.up(directory);
    await cache();
    await connected(before.url, async (redis) => {
      expect(await redis.get("kept")).toBe("yes");
    });
  }, 60_000);

  test("port prints its port, url says that there is no address, and what has it", async () => {
    const { port, pid } = await cache();
    const run = place.daemon.run;
    expect(await run("port", "shop:cache")).toMatchObject({ code: 0, out: `${port}\n` });
    const { out } = await run("port", "shop:cache", "--json");
    expect(JSON.parse(out)).toMatchObject({ name: "shop:cache", url: null, port, pid });
    const none = await run("url", "shop:cache");
    const words = "shop:cache is ready; a redis has no address; to see its port:";
    expect(none.err).toContain(`${words} localhostess port shop:cache`);
    expect(none.code).toBe(1);
  });

  test("stop leaves no process", async () => {
    const { pid } = await cache();
    await place.send({ Stop: { project_path: directory } });
    expect(await isAlive(pid!)).toBe(false);
    const port = await place.daemon.run("port", "shop:cache");
    expect(port).toMatchObject({ code: 1, out: "" });
    expect(port.err).toContain("shop:cache is stopped; to start it: ");
    const { out } = await place.daemon.run("up", directory);
    expect(out).toContain("(redis on port ");
    await cache();
  }, 60_000);

  test("it is not ready while it loads its data, though it listens and asks for its password", async () => {
    const slow = await place.project(
      "slow",
      `
[project]
name = "slow"

[services.cache]
type = "redis"
from = "program"
# Microseconds for each key, and bytes after which others are heard.
settings = { key-load-delay = 100000, loading-process-events-interval-bytes = 1024 }

[services.fill]
type = "task"
command = """exec bun -e '
  const redis = new Bun.RedisClient(process.env.REDIS_URL);
  for (let at = 0; at < 20; at++) {
    const random = crypto.getRandomValues(new Uint8Array(1500));
    await redis.set("key" + at, Buffer.from(random).toString("hex"));
  }
  // Clients are heard while a base file is loaded, and only rarely while the commands after it are.
  await redis.send("BGREWRITEAOF", []);
  do await Bun.sleep(50);
  while (!(await redis.send("INFO", ["persistence"])).includes("aof_rewrite_in_progress:0"));
  redis.close();
'"""
depends_on = ["cache"]
`,
    );
    await place.up(slow);
    await place.until("slow:fill", ({ state }) => state === "completed");
    const accepts = (text: string): boolean => text.includes("Ready to accept connections");
    const before = (await place.logs("slow:cache")).filter(accepts).length;
    const { pid } = await place.row("slow:cache");
    endNow(pid!);
    await place.until("slow:cache", (its) => its.state === "ready" && its.pid !== pid);
    expect((await place.logs("slow:cache")).filter(accepts)).toHaveLength(before + 1);
    await place.send({ Stop: { project_path: slow } });
  }, 60_000);

  test("a version that is not installed is told with the one that is, and the others start", async () => {
    const other = await place.project(
      "old",
      `
[project]
name = "old"

[services.cache]
type = "redis"
version = "2.8"
from = "program"

[services.other]
type = "worker"
command = "exec sleep 1000"
`,
    );
    await place.up(other);
    const failed = await place.until("old:cache", ({ state }) => state === "failed");
    expect(failed.why).toMatch(/Redis 2\.8 is not installed \(\/usr\/bin\/redis-server is \d+\./);
    expect((await place.row("old:other")).state).toBe("ready");
  }, 60_000);

  test("a port that another program has is told, and it starts once that has gone", async () => {
    const holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const other = await place.project(
      "held",
      `
[project]
name = "held"

[services.cache]
type = "redis"
from = "program"
port = ${holder.port}
`,
    );
    try {
      await place.up(other);
      const held = await place.until("held:cache", ({ why }) => why !== undefined && why !== null);
      expect(held.why).toContain(String(holder.port));
    } finally {
      holder.stop(true);
    }
    await place.until("held:cache", ({ state }) => state === "ready");
  }, 60_000);
});

describeWith(["mariadbd", "my_print_defaults"])("mariadb from an installed program", () => {
  test("DATABASE_URL leads to its database, its password is asked for, and rows survive a kill -9", async () => {
    await using place = await projectPlace();
    const directory = await place.project(
      "shop",
      `
[project]
name = "shop"

[services.db]
type = "mariadb"
from = "program"
database = "items"

[services.api]
command = """exec bun -e '
  const sql = new Bun.SQL(process.env.DATABASE_URL);
  await sql.unsafe("create table if not exists items (name text)");
  await sql.unsafe("insert into items values (0x6669727374)");
  Bun.serve({
    port: Number(process.env.PORT),
    hostname: "127.0.0.1",
    fetch: () => Response.json(process.env),
  });
'"""
depends_on = ["db"]
`,
    );
    await place.up(directory);
    const ready = (id: string) => place.until(id, ({ state }) => state === "ready", 60_000);
    await ready("shop:db");
    const { port } = await ready("shop:api");
    const env = (await (await fetch(`http://127.0.0.1:${port}`)).json()) as Record<string, string>;
    const url = env.DATABASE_URL!;
    expect(env).toMatchObject({ MARIADB_URL: url, MYSQL_HOST: "127.0.0.1", MYSQL_USER: "root" });

    const db = await ready("shop:db");
    await using wrong = new SQL(url.replace(/:[\w-]{24}@/, ":@"), { max: 1 });
    await expect(wrong`select 1`.execute()).rejects.toThrow("Access denied");
    expect(readFileSync(`/proc/${db.pid}/cmdline`, "latin1")).not.toContain(env.MYSQL_PASSWORD!);

    endNow(db.pid!);
    await place.until("shop:db", (its) => its.state === "ready" && its.pid !== db.pid);
    await using sql = new SQL(url, { max: 1 });
    expect([...(await sql`select name from items`)]).toEqual([{ name: "first" }]);
    const log = (await place.logs("shop:db")).join("\n");
    expect(log).not.toContain(env.MYSQL_PASSWORD!);
    expect(log).not.toContain("Aborted connection");
  }, 90_000);
});

/** No package has a Mailpit for these tests: a program that takes its words, and answers on both of its ports. */
const playedMailpit = `#!/bin/sh
[ "$1" = version ] && exec echo "mailpit v1.27.0 compiled with go1.24.4 on linux/amd64"
exec bun -e '
  const at = (name) => process.argv[process.argv.indexOf(name) + 1].split(":");
  const [hostname, port] = at("--listen");
  const [smtpHost, smtpPort] = at("--smtp");
  Bun.listen({ hostname: smtpHost, port: +smtpPort, socket: { open: (its) => void its.write("220 played"), data() {} } });
  Bun.serve({ hostname, port: +port, fetch: ({ url }) =>
    new Response(new URL(url).pathname === "/readyz" ? "ok" : "mail of the project") });
' -- "$@"
`;

test("a store with a page is reached by its name, and its other port is told to those that depend on it", async () => {
  await using place = await projectPlace();
  const bin = join(place.daemon.directory, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "mailpit"), playedMailpit, { mode: 0o755 });
  const directory = await place.project(
    "shop",
    `
[project]
name = "shop"

[services.mail]
type = "mailpit"

[services.web]
command = """exec bun -e '
  const { PORT, SMTP_HOST, SMTP_PORT } = process.env;
  Bun.serve({ port: +PORT, hostname: "127.0.0.1", fetch: () => new Promise((resolve) => Bun.connect({
    hostname: SMTP_HOST, port: +SMTP_PORT,
    socket: { data: (socket, bytes) => { resolve(new Response(SMTP_PORT + " " + bytes)); socket.end(); } },
  })) });
'"""
depends_on = ["mail"]
env = { PAGE = "\${services.mail.url} \${services.mail.smtp_port}" }
`,
  );
  const asked = async (id: string): Promise<string> => {
    const { url } = await place.until(id, ({ state }) => state === "ready");
    const { port, host } = new URL(url!);
    const answer = await fetch(`http://127.0.0.1:${port}`, { headers: { Host: host } });
    return await answer.text();
  };
  await place.up(directory, { env: { PATH: `${bin}:${process.env.PATH}` } });
  expect(await asked("shop:mail")).toBe("mail of the project");
  const said = await asked("shop:web");
  expect(said).toMatch(/^2\d{4} 220 played$/);
  expect(said).not.toContain(String((await place.row("shop:mail")).port));
}, 60_000);
