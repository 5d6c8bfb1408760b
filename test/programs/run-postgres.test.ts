/** The program that a service of type postgres is: one place after another start, with Debian's PostgreSQL. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeDeclared, runFiles } from "../../src/stores/postgres/declared.ts";
import type { PostgresSpec } from "../../src/manifest/types/own.ts";
import { eventually } from "../support/eventually.ts";
import {
  answers,
  type PostgresPlace,
  postgresPlace,
  type PostgresRun,
  socketElsewhere,
} from "../support/postgres-run.ts";
import { asOther } from "../support/other-user.ts";
import { clients } from "../support/postgres-clients.ts";
import { byMount, canMount, smallDisk } from "../support/small-disk.ts";
import { describeWith } from "../support/with-programs.ts";

const isRoot = process.getuid?.() === 0;
const none = { init: [], settings: {}, extensions: [] };

describeWith(["pg_ctl", "psql"])("PostgreSQL 15 of Debian", () => {
  let place: PostgresPlace;
  let run: PostgresRun;

  beforeAll(async () => {
    place = postgresPlace({ deep: true });
    const other = join(place.store, "../postgres-14/data");
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, "PG_VERSION"), "14\n");
    place.write("schema.sql", "create table rows (i int primary key);\n\\echo made\n");
    place.write("seed.sql", "insert into rows select generate_series(1, 10);\n");
    // Variables of a shell that mean another server, and options that none knows.
    const env = { PGDATA: "/nowhere", PGPORT: "1", PGHOST: "/nowhere", PGOPTIONS: "--no-such" };
    const own = {
      init: ["schema.sql", "seed.sql"].map((name) => join(place.directory, name)),
      extensions: ["pg_trgm"],
      settings: { work_mem: "7MB", "shop.word": "it's \\ here" },
    };
    run = await place.run(own, { env });
    if (!(await run.ready())) throw new Error(run.log());
  }, 60_000);

  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  const url = (password = place.password, host = "127.0.0.1"): string =>
    `postgres://postgres:${password}@${host}:${run.port}/shop`;

  async function bySql(text: string, password?: string): Promise<unknown[]> {
    const sql = new Bun.SQL(url(password), { max: 1 });
    try {
      return [...((await sql.unsafe(text).values()) as unknown[][])].flat();
    } finally {
      await sql.close();
    }
  }

  async function next(own: Partial<PostgresSpec> = {}, more = {}): Promise<PostgresRun> {
    expect(await run.stop()).toBe(0);
    run = await place.run(own, more);
    return run;
  }

  test("psql, a client of Node and one of Bun read what the SQL files wrote, at both loopback addresses", async () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
      if (host === "[::1]" && !(await answers(run.port, "::1"))) continue;
      for (const [name, ask] of Object.entries(clients)) {
        const sum = await ask(url(place.password, host), "select sum(i) from rows");
        expect([name, host, sum]).toEqual([name, host, "55"]);
      }
    }
    expect(await bySql("select similarity('word', 'two words') > 0")).toEqual([true]);
  });

  test("data of another version is told of, as this one begins anew", () => {
    expect(run.log()).toContain(
      "PostgreSQL 15 begins with new data; that of version 14 is kept: version = 14 brings it back",
    );
  });

  test("settings are the server's, and text is UTF-8", async () => {
    expect(await bySql("show work_mem")).toEqual(["7MB"]);
    expect(await bySql("show shop.word")).toEqual(["it's \\ here"]);
    expect(await bySql("show server_encoding")).toEqual(["UTF8"]);
    expect(await bySql("show password_encryption")).toEqual(["scram-sha-256"]);
  });

  test("the process of the service is the server itself, as nobody where we are root", () => {
    const [pid] = readFileSync(join(place.data, "postmaster.pid"), "utf8").split("\n");
    expect(Number(pid)).toBe(run.pid);
    const status = readFileSync(`/proc/${run.pid}/status`, "utf8");
    expect(status).toContain("Name:\tpostgres");
    if (!isRoot) return;
    expect(status).toMatch(/Uid:\t(?!0\t)(\d+)\t\1\t\1\t\1\n/);
    expect(status).toMatch(/Gid:\t(?!0\t)(\d+)\t\1\t\1\t\1\n/);
    expect(status).toMatch(/CapBnd:\t0{16}\n/);
    expect(status).toMatch(/NoNewPrivs:\t1\n/);
  });

  test("data and socket are private, and the password is in no argument, variable or log", () => {
    expect(statSync(place.data).mode & 0o777).toBe(0o700);
    expect(statSync(socketElsewhere(place.store)).mode & 0o777).toBe(0o700);
    expect(readdirSync(place.store).sort()).toEqual(["data", "lock", "password"]);
    for (const file of ["cmdline", "environ"]) {
      expect(readFileSync(`/proc/${run.pid}/${file}`, "latin1")).not.toContain(place.password);
    }
    expect(run.log()).not.toContain(place.password);
    expect(readFileSync(join(place.data, "localhostess.json"), "utf8")).not.toContain(
      place.password,
    );
  });

  test("nobody comes in without the password, not even by the socket", async () => {
    await expect(bySql("select 1", "wrong")).rejects.toThrow("password authentication failed");
    const hba = readFileSync(join(place.data, "pg_hba.conf"), "utf8");
    const rules = hba.split("\n").filter((line) => /^(local|host)/.test(line));
    expect(rules.every((line) => line.trim().endsWith("scram-sha-256"))).toBe(true);
  });

  test("files that are run without psql say the line of what fails, in the words of the server", async () => {
    const own = { ...none, kind: "postgres", major: 15, database: "shop" } as PostgresSpec;
    const query = (text: string) => bySql(text) as never;
    const programs = { folder: "/nowhere", env: { PATH: "/nowhere" }, say() {} };
    const options = { own, directory: place.directory, query, onStatus() {}, psql: undefined };
    const files = (text: string): Promise<void> => {
      place.write("x.sql", text);
      const init = [join(place.directory, "x.sql")];
      return runFiles({ ...options, programs: programs as never, own: { ...own, init } });
    };
    await files("create table good (i int);\ninsert into good values (1);\n");
    expect(await bySql("select i from good")).toEqual([1]);
    const kept = "nothing of it was kept, and the next start runs it again";
    await expect(files("select 'ä€😀';\n\nselect bad;\n")).rejects.toThrow(
      `init: x.sql, line 3: column "bad" does not exist; ${kept}`,
    );
    await expect(files("select 1;\n\\copy good from 'x'\n")).rejects.toThrow(
      `init: x.sql, line 2: \\copy is a command of psql, which is not installed`,
    );
    await expect(
      makeDeclared({
        ...options,
        programs: programs as never,
        own: { ...own, extensions: ["no1"] },
      }),
    ).rejects.toThrow(
      "its PostgreSQL 15 has no extension no1; install a PostgreSQL 15 that has it",
    );
  });

  test("a database and extensions that are declared later are made at the next start, and data stays", async () => {
    const { told } = await next({ database: "second", extensions: ["citext"] });
    expect(await run.ready()).toBe(true);
    const sql = new Bun.SQL(url().replace(/shop$/, "second"), { max: 1 });
    expect(await sql`select 'A'::citext = 'a' as same`).toEqual([{ same: true }] as never);
    await sql.close();
    expect(await bySql("select count(*)::int from rows")).toEqual([10]);
    expect(told.filter((its) => its.startsWith("STATUS=making"))).toEqual([
      "STATUS=making the database second",
      "STATUS=making the extension citext",
    ]);
    expect(told.at(-1)).toBe("STATUS=");
  });

  test("the password of the place is the one that works, also after it was replaced", async () => {
    const before = place.password;
    const file = join(place.store, "password");
    writeFileSync(file, "another-one\n", { mode: 0o600 });
    await next();
    expect(await run.ready()).toBe(true);
    expect(await bySql("select 1", "another-one")).toEqual([1]);
    await expect(bySql("select 1", before)).rejects.toThrow("password authentication failed");
    expect(run.log()).not.toMatch(/another-one|SCRAM-SHA-256\$/);
    writeFileSync(file, `${before}\n`, { mode: 0o600 });
    await next();
    expect(await run.ready()).toBe(true);
    expect(await bySql("select count(*)::int from rows")).toEqual([10]);
  });

  test("a second start on the same data waits for the first one to end", async () => {
    const first = run;
    const second = await place.run();
    await eventually("it looks", () => second.told.includes("STATUS=looking at its data"));
    expect(await answers(second.port)).toBe(false);
    await first.stop();
    run = second;
    expect(await run.ready()).toBe(true);
  });

  test("a lock file whose number another program has by now does not keep it from starting", async () => {
    await run.stop();
    const lock = join(place.data, "postmaster.pid");
    // Of the user as whom the server runs: it does not mind any other.
    const words = ["sleep", "600"];
    const other = Bun.spawn(isRoot ? asOther(words) : words);
    writeFileSync(lock, `${other.pid}\n${place.data}\n1\n5432\n\n\n\n`, { mode: 0o600 });
    if (isRoot) Bun.spawnSync(["chown", "--reference", place.data, lock]);
    run = await place.run();
    expect(await run.ready()).toBe(true);
    expect(await bySql("select count(*)::int from rows")).toEqual([10]);
    other.kill();
  });

  test("does not share its port with another program, not even at one of two addresses", async () => {
    await run.stop();
    using other = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } });
    run = await place.run({}, { port: other.port });
    expect(await run.why()).toBe(`X_FAILED=another program has taken its port ${other.port}`);
  });

  test("settings that cannot be are a sentence, and the data is as it was", async () => {
    run = await place.run({ settings: { work_mem: "many" } });
    expect(await run.why()).toBe(
      'X_CANNOT=its configuration is refused: invalid value for parameter "work_mem": "many"',
    );
    run = await place.run({ settings: { port: "1", listen_addresses: "*" } });
    expect(await run.why()).toBe(
      "X_CANNOT=settings: port cannot be set: write port beside type; listen_addresses cannot be set: it listens on this machine alone",
    );
  });

  test("data of another major version is refused with the way out, and so is what is no data", async () => {
    const version = join(place.data, "PG_VERSION");
    writeFileSync(version, "14\n");
    run = await place.run();
    expect(await run.why()).toBe(
      `X_CANNOT=its data is of PostgreSQL 14, and locald.toml says version = 15; write version = 14 and take it along by localhostess db dump and restore, or begin anew: localhostess db reset db (${place.data})`,
    );
    rmSync(version);
    run = await place.run();
    expect(await run.why()).toBe(
      `X_CANNOT=${place.data} is no data of PostgreSQL: it has no PG_VERSION; move it away`,
    );
    expect(existsSync(join(place.data, "base"))).toBe(true);
  });
});

describeWith(["pg_ctl", "psql"])("a first start of PostgreSQL", () => {
  test("that is killed, or whose files fail, is begun again, and only a whole one counts", async () => {
    await using place = postgresPlace();
    const file = join(place.directory, "schema.sql");
    const own = { init: [file] };
    const missing = await place.run(own);
    expect(await missing.why()).toBe(`X_CANNOT=init: there is no schema.sql in ${place.directory}`);
    place.write("schema.sql", "create table a (i int);\n\ncreat table b;\n");
    const failing = await place.run(own);
    expect(await failing.why()).toBe(
      'X_CANNOT=init: schema.sql, line 3: syntax error at or near "creat"; nothing of it was kept, and the next start runs it again',
    );
    expect(existsSync(place.data)).toBe(false);
    place.write("schema.sql", "create table a (i int); insert into a values (7);\n");
    for (const moment of [
      "STATUS=making its data",
      "STATUS=making the database",
      "STATUS=running",
    ]) {
      const killed = await place.run(own);
      await eventually(moment, () => killed.told.some((its) => its.startsWith(moment)));
      process.kill(killed.pid, "SIGKILL");
      await killed.ended;
      expect(existsSync(place.data)).toBe(false);
    }
    const run = await place.run(own);
    expect(await run.ready()).toBe(true);
    const sql = new Bun.SQL(`postgres://postgres:${place.password}@127.0.0.1:${run.port}/shop`);
    expect(await sql`select i from a`).toEqual([{ i: 7 }] as never);
    await sql.close();
    expect(readdirSync(place.store)).not.toContain("data.unfinished");
    expect(await run.stop()).toBe(0);
    expect(run.log()).toContain("received fast shutdown request");
  }, 90_000);

  test.skipIf(!canMount)(
    `and a later one have a sentence for a full disk, and go on with room${byMount}`,
    async () => {
      using disk = smallDisk("size=20m");
      await using place = postgresPlace({ root: disk.folder });
      const full = await place.run();
      expect(await full.why()).toBe(
        `X_FAILED=its data could not be made: the file system of ${place.store} is full; make room`,
      );
      expect(existsSync(place.data)).toBe(false);

      disk.change("size=100m");
      const own = { settings: { max_wal_size: "32MB", min_wal_size: "32MB" } };
      const run = await place.run(own);
      expect(await run.ready()).toBe(true);
      const url = `postgres://postgres:${place.password}@127.0.0.1:${run.port}/shop`;
      const sql = new Bun.SQL(url, { max: 1 });
      await sql`create table rows (i serial primary key, t text)`;
      let written = 0;
      const error = await (async () => {
        for (;;) {
          await sql`insert into rows (t) select string_agg(md5(random()::text), '') from generate_series(1, 9999)`;
          written++;
        }
      })().catch((its: Error) => its);
      expect(error.message).toMatch(/No space left on device|Connection closed/);
      await sql.close().catch(() => {
        // The server may have gone with its log's last page.
      });
      expect(written).toBeGreaterThan(10);

      disk.change("size=300m");
      process.kill(run.pid, "SIGQUIT");
      await run.ended;
      const next = await place.run(own);
      expect(await next.ready()).toBe(true);
      const after = new Bun.SQL(url.replace(`:${run.port}`, `:${next.port}`), { max: 1 });
      expect(await after`select count(*)::int as n from rows`).toEqual([{ n: written }] as never);
      await after.close();
    },
    90_000,
  );
});
