/** Databases from fetched packages, which have no pg_dump: their files are dumped, reset, restored and forked. */
import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inProcess } from "../cli/in-process.ts";
import {
  embeddedMajors,
  hasPackages,
  lackingPackages,
  packageRegistry,
} from "../support/postgres-packages.ts";
import { projectPlace } from "../support/project-place.ts";
import { quickFolder } from "../support/quick-folder.ts";

test.skipIf(!hasPackages())(
  `the rows of each fetched version come back from its files, and go to no other version${lackingPackages()}`,
  async () => {
    const cache = mkdtempSync(join(quickFolder(), "localhostess-cache-"));
    chmodSync(cache, 0o711);
    using registry = packageRegistry();
    try {
      await using place = await projectPlace({ XDG_CACHE_HOME: cache });
      const env = {
        ...{ ...place.daemon.env, PATH: process.env.PATH! },
        ...{ npm_config_registry: registry.url, NO_PROXY: "*" },
      };
      const run = (cwd: string, ...words: string[]) => inProcess(words, { env, cwd });
      const done = async (cwd: string, ...words: string[]): Promise<string> => {
        const { code, out, err } = await run(cwd, ...words);
        expect({ words, code, err }).toMatchObject({ words, code: 0 });
        return out.trimEnd();
      };
      const told = async (cwd: string, text: string): Promise<unknown> => {
        await using client = new Bun.SQL(await done(cwd, "db", "url"));
        return Object.values([...(await client.unsafe(text).simple())].flat()[0] ?? {})[0];
      };
      const folders: string[] = [];
      for (const major of embeddedMajors) {
        const services = `[services.db]\ntype = "postgres"\nversion = ${major}\n`;
        const shop = await place.project(
          `shop${major}`,
          `[project]\nname = "shop${major}"\n${services}`,
        );
        folders.push(shop);
        await done(shop, "up");
        await told(shop, `create table names as select 'of ${major}' as name`);
        const file = join(shop, "shop.tar.gz");
        await done(shop, "db", "dump", "-o", file, "--format", "files");
        await done(shop, "db", "reset", "--yes");
        expect(await told(shop, "select to_regclass('names')::text")).toBeNull();
        await done(shop, "db", "restore", "db", file, "--yes");
        expect(await told(shop, "select name from names")).toBe(`of ${major}`);
      }
      const [one, other] = folders as [string, string];
      const refused = await run(other, "db", "restore", "db", join(one, "shop.tar.gz"), "--yes");
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/cannot read it.*localhostess db dump --format plain/);
      expect(await told(other, "select name from names")).toBe(`of ${embeddedMajors[1]}`);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  },
  180_000,
);
