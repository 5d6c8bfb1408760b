/** An engine and a daemon -> a Redis in a container of its official image, used, stopped and started again. */
import { expect } from "bun:test";
import { RedisClient } from "bun";
import type { ContainerEngine } from "./container-engine.ts";
import type { ProjectPlace } from "./project-place.ts";
import { redisImage } from "./redis-image.ts";

const toml = `
[project]
name = "store"

[services.cache]
type = "redis"
version = 7
from = "container"
settings = { maxmemory = "64mb" }

[services.api]
command = """exec bun -e '
  const { PORT, REDIS_URL } = process.env;
  const redis = new Bun.RedisClient(REDIS_URL);
  Bun.serve({
    port: Number(PORT),
    hostname: "127.0.0.1",
    fetch: async () => Response.json({ count: await redis.incr("count"), url: REDIS_URL }),
  });
'"""
depends_on = ["cache"]
`;

export type InContainerOptions = {
  engine: ContainerEngine;
  place: ProjectPlace;
  /** The shell's. */
  env: Record<string, string>;
};

export async function redisInContainer({ engine, place, env }: InContainerOptions): Promise<void> {
  await redisImage(engine, "redis:7");
  const directory = await place.project("store", toml);
  const containers = async (): Promise<string[]> => {
    const all = JSON.parse(await engine.api("GET", "/containers/json?all=true"));
    return (all as { Id: string; Labels: Record<string, string> }[])
      .filter(({ Labels }) => Labels["localhostess.project"] === directory)
      .map(({ Id }) => Id);
  };
  const up = async (): Promise<{ count: number; url: string }> => {
    const lines = await place.up(directory, { env });
    expect(lines.at(-1)).toBe("Ok");
    const { port } = await place.until("store:api", ({ state }) => state === "ready");
    const answer = await fetch(`http://127.0.0.1:${port}`);
    return (await answer.json()) as { count: number; url: string };
  };
  const { count, url } = await up();
  expect(count).toBe(1);

  const open = new RedisClient(url.replace(/:[^:@]+@/, ""), { autoReconnect: false });
  await expect(open.get("count")).rejects.toThrow("NOAUTH");
  open.close();
  const [its, ...others] = await containers();
  expect(others).toEqual([]);
  const { Config, Path, Args } = JSON.parse(await engine.api("GET", `/containers/${its}/json`));
  const { password } = new URL(url);
  expect(password).toHaveLength(24);
  expect(JSON.stringify([Path, Args, Config.Cmd, Config.Labels])).not.toContain(password);
  const log = (await place.logs("store:cache")).join("\n");
  expect(log).not.toContain(password);
  expect(log).toContain("Ready to accept connections");

  await place.send({ Stop: { project_path: directory } });
  expect(await containers()).toEqual([]);
  expect(await up()).toEqual({ count: 2, url });
  await place.send({ Stop: { project_path: directory } });
}
