/** An engine and a daemon -> a Redis that the example plugin makes of `type = "redis"`, used, stopped, used again. */
import { cp, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect } from "bun:test";
import { RedisClient } from "bun";
import { transpilerFolder } from "../../src/plugins/transpiler.ts";
import { safeParse } from "valibot";
import { spawned } from "../cli/cli.ts";
import { answers } from "../cli/json-shapes.ts";
import { examplePlugin, pluginCache } from "./plugin-calls.ts";
import { redisImage } from "./redis-image.ts";
import type { InContainerOptions } from "./redis-in-container.ts";

const toml = `
[services.cache]
type = "redis"
version = 7
memory = "64mb"
`;

/** The project without its cache. */
const web = '[services.web]\ntype = "worker"\ncommand = "exec sleep 1000"\n';

export async function redisByPlugin({ engine, place, env }: InContainerOptions): Promise<void> {
  await redisImage(engine, "redis:7");
  const { daemon } = place;
  const config = join(daemon.directory, "plugins.toml");
  await writeFile(config, '[plugins.redis]\ngrant = ["oci-pull"]\n');
  const cache = join(daemon.directory, "cache");
  const transpiler = transpilerFolder(pluginCache);
  const there = join(cache, "localhostess/plugins", basename(transpiler));
  await cp(transpiler, there, { recursive: true });
  const directory = await place.project("planned", toml);
  const run = (...words: string[]) =>
    spawned(words, {
      env: { ...daemon.env, ...env, XDG_CACHE_HOME: cache, LOCALHOSTESS_CONFIG: config },
      cwd: directory,
    });
  const containers = async (): Promise<unknown[]> => {
    const all = JSON.parse(await engine.api("GET", "/containers/json?all=true"));
    return (all as { Labels: Record<string, string> }[]).filter(
      ({ Labels }) => Labels["localhostess.project"] === directory,
    );
  };
  const count = async (): Promise<number> => {
    const up = await run("up");
    expect([up.err, up.code]).toEqual([expect.any(String), 0]);
    const { port } = await place.until("planned:cache", ({ state }) => state === "ready");
    const client = new RedisClient(`redis://127.0.0.1:${port}`, { autoReconnect: false });
    try {
      expect(await client.send("CONFIG", ["GET", "maxmemory"])).toEqual({ maxmemory: "67108864" });
      return await client.incr("count");
    } finally {
      client.close();
    }
  };

  const installed = await run("plugin", "install", examplePlugin("redis"));
  expect(installed.err).toContain('type = "redis", which it knows');
  expect(await count()).toBe(1);
  const { port } = await place.row("planned:cache");
  expect(await containers()).toHaveLength(1);

  await place.send({ Stop: { project_path: directory } });
  expect(await containers()).toEqual([]);
  // The volume is the same, and the port.
  expect(await count()).toBe(2);
  expect((await place.row("planned:cache")).port).toBe(port);

  const told = JSON.parse((await run("plugin", "plan", "cache", "--json")).out);
  expect(safeParse(answers["plugin plan"]!.shape!, told).issues).toBeUndefined();
  expect(told).toMatchObject({ accepted: true, missing: [], ports: { redis: port } });
  const { out } = await run("config", "show", "--provenance");
  expect(out).toMatch(/\nimage = "redis:7" {2}# from plugin redis\n/);

  await place.write(join(directory, "locald.toml"), web);
  expect((await run("up")).code).toBe(0);
  await place.gone("planned:cache");
  expect(await containers()).toEqual([]);
  await place.send({ Stop: { project_path: directory } });
}
