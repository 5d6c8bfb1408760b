/** A compose file -> `init`, `up`: containers that reach each other, and share their volumes, as under compose. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, environment } from "../cli/cli.ts";
import {
  type ContainerEngine,
  containerEngine,
  lackingNamespaces,
} from "../support/container-engine.ts";
import { type DaemonPlace, daemonPlace } from "../support/daemon-place.ts";
import { lacking } from "../support/debian.ts";
import { ended } from "../support/ended.ts";
import { eventually } from "../support/eventually.ts";

const needs =
  lacking(["dockerd", "rootlesskit", "slirp4netns", "newuidmap", "runc", "busybox"]) ||
  lackingNamespaces();

const patience = 120_000;

const compose = `services:
  web:
    image: shop/web:\${TAG:-1}
    ports: ["80:80"]
    volumes: ["./html:/www:ro"]
    networks: [front]
    healthcheck: { test: [CMD, wget, -qO-, "http://localhost"], interval: 1s, retries: 30 }
  init:
    image: shop/box:1
    command: ["sh", "-c", "echo $$GREETING > /data/made"]
    environment: [GREETING]
    volumes: ["shared:/data"]
  job.runner:
    image: shop/box:1
    command: sh -c 'echo made $$(cat /data/made), web $$(wget -qO- http://web), $$TOKEN, $$PORT; sleep 1000'
    environment: { TOKEN: "\${TOKEN:-none}", PORT: 4000 }
    volumes: ["shared:/data"]
    depends_on:
      web: { condition: service_healthy }
      init: { condition: service_completed_successfully }
volumes: { shared: }
networks: { front: }
`;

describe.skipIf(needs !== "")(`a project that has been with compose${needs}`, () => {
  let engine: ContainerEngine;
  let daemon: DaemonPlace;
  beforeAll(async () => {
    [daemon, engine] = await Promise.all([daemonPlace(), containerEngine("docker")]);
    await engine.image("shop/web:1", ['CMD ["/bin/httpd","-f","-p","80","-h","/www"]']);
    await engine.image("shop/box:1", ['CMD ["/bin/sh"]']);
  }, patience);
  afterAll(async () => {
    await daemon?.run("stop", "--all");
    await daemon?.[Symbol.asyncDispose]();
    await engine?.stop();
  }, patience);

  test(
    "init and up bring up its services, which reach each other by name and share a volume",
    async () => {
      const directory = join(daemon.directory, "projects", "shop");
      await mkdir(join(directory, "html"), { recursive: true });
      await writeFile(join(directory, ".env"), "GREETING=hello\n");
      await writeFile(join(directory, "html/index.html"), "page\n");
      await writeFile(join(directory, "compose.yaml"), compose);
      const env = environment({
        ...daemon.env,
        ...{ DOCKER_HOST: `unix://${engine.socket}`, LOCALHOSTESS_PORT: "0" },
      });
      const run = (...args: string[]) => ended(command(...args), { env, cwd: directory });
      expect(await run("init", "--yes")).toMatchObject({ code: 0 });
      expect(await run("config", "check")).toMatchObject({ code: 0 });
      const up = await run("up");
      expect({ code: up.code, said: up.code === 0 ? "" : up.err }).toEqual({ code: 0, said: "" });
      let said = "";
      await eventually("the job has said what it has", async () => {
        ({ out: said } = await run("logs", "job-runner"));
        return said.includes("made hello,");
      });
      expect(said).toContain("made hello, web page, none, 4000");
      expect((await run("stop")).code).toBe(0);
      expect(JSON.parse(await engine.api("GET", "/containers/json?all=true"))).toEqual([]);
    },
    patience,
  );
});
