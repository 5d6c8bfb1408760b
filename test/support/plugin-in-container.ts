/** An engine and a daemon -> a Redis that a plugin has made: its image, its port, and what is left of it. */
import { expect } from "bun:test";
import { RedisClient } from "bun";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { safeParse } from "valibot";
import { spawned } from "../cli/cli.ts";
import { answers } from "../cli/json-shapes.ts";
import type { ContainerEngine } from "./container-engine.ts";
import { examplePlugin, pluginCache } from "./plugin-calls.ts";
import type { ProjectPlace } from "./project-place.ts";
import { redisImage } from "./redis-image.ts";

const web = `[services.web]
command = "echo $CACHE; exec sleep 1000"
type = "worker"
env.CACHE = "cache at \${services.cache.port}"
`;
const toml = `[services.cache]
type = "redis"
plugin = "redis"
memory = "32mb"
${web}`;

export type PluginInContainerOptions = {
  engine: ContainerEngine;
  place: ProjectPlace;
  /** The shell's. */
  env: Record<string, string>;
};

export async function pluginInContainer(options: PluginInContainerOptions): Promise<void> {
  const { engine, place } = options;
  await redisImage(engine, "redis:7");
  const directory = await place.project("planned", toml);
  const caches = join(place.daemon.directory, "caches");
  mkdirSync(join(caches, "localhostess"), { recursive: true });
  symlinkSync(join(pluginCache, "plugins"), join(caches, "localhostess/plugins"));
  const config = join(place.daemon.directory, "granting.toml");
  writeFileSync(config, '[plugins.redis]\ngrant = ["oci-pull"]\n');
  const own = { XDG_CACHE_HOME: caches, LOCALHOSTESS_CONFIG: config };
  const env = { ...place.daemon.env, ...options.env, ...own };
  const run = async (...words: string[]): Promise<string> => {
    const its = await spawned(words, { env, cwd: directory });
    if (its.code !== 0) throw new Error(`${words.join(" ")}: ${its.err}`);
    return its.out;
  };
  const containers = async (): Promise<string[]> => {
    const all = JSON.parse(await engine.api("GET", "/containers/json?all=true"));
    return (all as { Id: string; Labels: Record<string, string> }[])
      .filter(({ Labels }) => Labels["localhostess.project"] === directory)
      .map(({ Id }) => Id);
  };

  await run("plugin", "install", examplePlugin("redis"));
  await run("up");
  const cache = await place.until("planned:cache", ({ state }) => state === "ready");
  expect(cache).toMatchObject({ type: "container", plugin: "redis" });
  const [its, ...others] = await containers();
  expect(others).toEqual([]);
  const { Args } = JSON.parse(await engine.api("GET", `/containers/${its}/json`));
  expect(Args).toEqual(["redis-server", "--maxmemory", "32mb"]);
  const redis = new RedisClient(`redis://127.0.0.1:${cache.port}`, { autoReconnect: false });
  // So Debian's Redis answers whoever comes from outside of its container; the official image does not.
  await expect(redis.send("PING", [])).rejects.toThrow("protected mode");
  redis.close();
  await place.until("planned:web", ({ state }) => state === "ready" || state === "running");
  expect(await place.logs("planned:web")).toContain(`cache at ${cache.port}`);

  const told = JSON.parse(await run("plugin", "plan", "cache", "--json"));
  expect(safeParse(answers["plugin plan"]!.shape!, told).issues).toBeUndefined();
  expect(told).toMatchObject({ accepted: true, missing: [], ports: { redis: cache.port } });
  expect(await run("plugin", "plan", "cache")).toContain("made by the plugin redis (accepted)");
  const shown = await run("config", "show", "--provenance");
  expect(shown).toMatch(/\nimage = "redis:7" {2}# from plugin redis\n/);
  expect(await run("status")).toContain("planned:cache is made by the plugin redis");

  await place.write(join(directory, "locald.toml"), web.replace(/^env\..*\n/m, ""));
  await run("up");
  await place.gone("planned:cache");
  expect(await containers()).toEqual([]);
  await run("stop");
  await run("plugin", "remove", "redis");
}
