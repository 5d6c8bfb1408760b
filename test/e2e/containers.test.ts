/** Containers of real engines, by name, as they start, change and end: Docker's and Podman's in turn. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { availableParallelism, loadavg } from "node:os";
import { ask } from "../../src/control/found/client.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import type { Service } from "../../src/routes/service.ts";
import {
  type ContainerEngine,
  containerEngine,
  lackingNamespaces,
} from "../support/container-engine.ts";
import { daemonOptions } from "../support/daemon-options.ts";
import { eventually } from "../support/eventually.ts";
import { lacking, type ProgramName } from "../support/debian.ts";

const engineNames = ["docker", "podman"] as const;

const needed: Record<(typeof engineNames)[number], readonly ProgramName[]> = {
  docker: ["dockerd", "rootlesskit", "slirp4netns", "newuidmap", "runc", "busybox"],
  podman: ["podman", "slirp4netns", "runc", "busybox"],
};

/** Whatever else this machine serves has another name. */
const project = `shop-${process.pid}`;
const three = [`80.api.${project}`, `api.${project}`, `db.${project}`];

/** Milliseconds in which names come and go; longer where this machine has more to do than it can. */
const soon = 1000 * Math.max(1, loadavg()[0]! / availableParallelism());

/** A port that nobody has, for a moment at least. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

describe.each(engineNames)("containers of %s", (kind) => {
  const needs = lacking(needed[kind]) || lackingNamespaces();
  if (needs !== "") {
    test.skip(`have names as they start, and lose them as they end${needs}`, () => {});
    return;
  }
  let engine: ContainerEngine;
  let daemon: Daemon;
  let socket: string;
  let services: readonly Service[] = [];
  const waiting: (() => void)[] = [];

  beforeAll(async () => {
    engine = await containerEngine(kind);
    const options = await daemonOptions({
      containers: [engine.socket],
      onServices(found) {
        services = found;
        for (const look of waiting.splice(0)) look();
      },
    });
    daemon = (await startDaemon(options))!;
    socket = options.socket;
  });
  afterAll(async () => {
    await daemon?.stop();
    await engine?.stop();
  });

  function names(): string[] {
    return services.filter(({ source }) => source === "container").map(({ name }) => name);
  }

  /** Waits for the news by which exactly these names are known. @returns how long it took, in milliseconds. */
  async function named(...expected: string[]): Promise<number> {
    const begun = performance.now();
    while (names().join() !== expected.join()) {
      if (performance.now() - begun > 10_000) throw new Error(`${names()} instead of ${expected}`);
      await Promise.race([new Promise<void>((look) => waiting.push(look)), Bun.sleep(1000)]);
    }
    return performance.now() - begun;
  }

  async function get(name: string): Promise<string> {
    const headers = { host: `${name}.localhost` };
    const answer = await fetch(`http://127.0.0.1:${daemon.port}/`, { headers });
    return answer.ok ? answer.text() : `${answer.status}`;
  }

  /** Its server may not listen yet when its engine says that it has started. */
  async function answered(name: string): Promise<void> {
    await eventually(`${name} answers`, async () => (await get(name)) === "from a container\n");
  }

  test("a container has its name as soon as it has started, and answers by it", async () => {
    await engine.run("quirky_turing");
    expect(await named("quirky-turing")).toBeLessThan(soon);
    await answered("quirky-turing");
    const [service] = services.filter(({ source }) => source === "container");
    const port = await engine.published("quirky_turing", 8080);
    expect(service).toMatchObject({
      ...{ source: "container", because: "name of container quirky_turing", routable: true },
      endpoint: { port, owners: [0, ...(process.getuid?.() === 0 ? [] : [process.getuid?.()])] },
    });
  });

  test("the name follows when it is renamed, and goes when it is stopped", async () => {
    await engine.api("POST", "/containers/quirky_turing/rename?name=calm_noether");
    expect(await named("calm-noether")).toBeLessThan(soon);
    expect(await get("calm-noether")).toBe("from a container\n");
    expect(await get("quirky-turing")).toBe("404");
    await engine.api("POST", "/containers/calm_noether/stop?t=0");
    expect(await named()).toBeLessThan(soon);
    await engine.api("POST", "/containers/calm_noether/start");
    expect(await named("calm-noether")).toBeLessThan(soon);
    await engine.api("DELETE", "/containers/calm_noether?force=true");
    expect(await named()).toBeLessThan(soon);
  });

  test("a service of Compose with two ports: the one of its label, and the other with its number", async () => {
    const labels = {
      "com.docker.compose.service": "api",
      "com.docker.compose.project": project,
      "localhostess.port": "8080",
    };
    await engine.run("shop-api-1", { labels, ports: ["80", "127.0.0.1:8080", "9999/udp"] });
    expect(await named(...three.slice(0, 2))).toBeLessThan(soon);
    await answered(`api.${project}`);
    const db = { "com.docker.compose.service": "db", "com.docker.compose.project": project };
    await engine.run("shop-db-1", { labels: db, ports: ["5432"] });
    await named(...three);
    expect(services.find(({ name }) => name === `db.${project}`)?.because).toContain("PostgreSQL");
  });

  // Rootless Docker's own network is another one.
  if (kind === "podman") {
    test("a container on this machine's network is found by its process", async () => {
      const listens = freePort();
      await engine.run("hosty", { network: "host", listens, ports: [] });
      await named(...three, "hosty");
      await answered("hosty");
      // NAME in its environment counts more, as for every process.
      const env = ["NAME=given-by-env"];
      await engine.run("other", { network: "host", listens: freePort(), ports: [], env });
      await answered("given-by-env");
      for (const name of ["hosty", "other"])
        await engine.api("DELETE", `/containers/${name}?force=true`);
      await named(...three);
    });
  }

  test("the processes that listen for containers have no row and no name of their own", async () => {
    const listeners = /rootlesskit|rootlessport|docker-proxy|slirp4netns|conmon/;
    const others = services.filter(({ source }) => source !== "container");
    const asked = await ask<{ Nameless: { command: string }[] }>(socket, "Nameless", {
      deadline: 5000,
    });
    if (asked.kind === "failed") throw new Error("the daemon does not answer");
    const rows = [...others, ...asked.value.Nameless!];
    expect(rows.filter(({ command }) => listeners.test(command))).toEqual([]);
  });

  test("an engine that stands still keeps its names, and its containers answer", async () => {
    engine.signal("SIGSTOP");
    try {
      expect(await get(`api.${project}`)).toBe("from a container\n");
      expect(names()).toEqual(three);
    } finally {
      engine.signal("SIGCONT");
    }
  });

  test("the names of a killed engine go at once", async () => {
    await engine.kill();
    expect(await named()).toBeLessThan(soon);
    expect(await get(`api.${project}`)).toBe("404");
  });
});
