/** A build by a builder, at an engine that does as the test says. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtByBuilder } from "../../../src/containers/build/builder-build.ts";
import type { Built } from "../../../src/containers/runs/image-for.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { type PlayedEngine, playedEngine } from "../runs/played-engine.ts";

const context = mkdtempSync(join(tmpdir(), "built-"));
writeFileSync(join(context, "page"), "a page");
afterAll(() => rmSync(context, { recursive: true, force: true }));

const name = "localhostess/shop-1f2e3d4c-web";
const secret = "Basic c2VjcmV0";

const builder = {
  Id: "sha256:b",
  Architecture: "arm64",
  Config: {
    Env: ["CNB_USER_ID=1001", "CNB_GROUP_ID=1000"],
    Labels: {
      "io.buildpacks.builder.metadata": JSON.stringify({ images: [{ image: "r:1" }] }),
      "io.buildpacks.lifecycle.apis": JSON.stringify({ platform: { supported: ["0.13"] } }),
    },
  },
};

type Begun = Disposable & {
  engine: PlayedEngine;
  said: string[];
  told: string[];
  abort: AbortController;
  build(more?: { clean?: boolean; pull?: "never" }): Promise<Built>;
  /** The body of the request that made the container. */
  made(): { HostConfig: Record<string, unknown> } & Record<string, unknown>;
};

function begun(): Begun {
  const engine = playedEngine();
  const said: string[] = [];
  const told: string[] = [];
  const abort = new AbortController();
  engine.values.set("/images/b:1/json", builder);
  engine.values.set("/images/sha256:b/json", builder);
  engine.values.set("/images/r:1/json", { Id: "sha256:r", Config: {} });
  engine.values.set("/images/json", []);
  engine.values.set("/info", { Architecture: "aarch64", OperatingSystem: "Debian" });
  return {
    ...{ engine, said, told, abort },
    build: ({ clean = false, pull } = {}) =>
      builtByBuilder({
        engine: { socket: engine.path, owner: 0, kind: "docker" },
        build: { kind: "builder", builder: "b:1", buildpacks: [], context },
        ...{ pull: pull ?? "missing", name, project: "shop", clean, clock: systemClock },
        labels: {
          ...{ run: "12345678", owner: "me", directory: "/shop", service: "web" },
          routeName: undefined,
        },
        person: { CNB_REGISTRY_AUTH: secret },
        ...{ declared: { WORD: "one" }, signal: abort.signal },
        noteEngine: () => Promise.resolve(),
        onProgress: (text) => told.push(text),
        say: (line) => said.push(line),
      }),
    made: () => [...engine.containers.values()].at(-1)!.body as never,
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

/** Why it failed, where nothing was ever started. */
async function why(prepare: (its: Begun) => void): Promise<string> {
  using its = begun();
  prepare(its);
  const built = await its.build();
  expect([...its.engine.containers.values()].filter((one) => one.running)).toEqual([]);
  return built.kind === "failed" ? built.why : built.kind;
}

/** The path of the image that it makes is there from now on. */
function exports(engine: PlayedEngine): void {
  const path = engine.asked
    .map((its) => its.split(" ")[1]!)
    .find((its) => its.startsWith(`/images/${name}:`))!;
  engine.values.set(path, { Id: "sha256:made", Config: {} });
}

describe("a build by a builder", () => {
  test("is its creator as root at the engine's socket, and nothing runs once its image is there", async () => {
    using its = begun();
    const building = its.build();
    await its.engine.running();
    const body = its.made();
    expect(body).toMatchObject({
      ...{ Image: "sha256:b", Entrypoint: ["/cnb/lifecycle/creator"], User: "0:0" },
      Volumes: { "/workspace": {}, "/layers": {} },
      Labels: { "localhostess.service": "web", "localhostess.builds": "yes" },
      HostConfig: {
        SecurityOpt: ["label=disable"],
        Mounts: expect.arrayContaining([
          expect.objectContaining({ Source: its.engine.path, Target: "/var/run/docker.sock" }),
        ]),
      },
    });
    expect(body.HostConfig).not.toHaveProperty("UsernsMode");
    expect(JSON.stringify(body.Cmd)).not.toContain(secret);
    const sent = its.engine.asked.filter((one) => one.includes("/archive?"));
    expect(sent.map((one) => one.split("path=")[1])).toEqual(["%2F", "%2Fworkspace"]);
    its.engine.print("stdout", "===> RESTORING\na line\n");
    exports(its.engine);
    its.engine.exit(0);
    expect(await building).toEqual({ kind: "built", id: "sha256:made", ran: true });
    expect(its.said).toEqual(["===> RESTORING", "a line"]);
    expect(its.told).toContain("building: restoring");
    const { size } = its.engine.containers;
    expect(await its.build()).toEqual({ kind: "built", id: "sha256:made", ran: false });
    expect(its.engine.containers.size).toBe(size);
  });

  test("is at root's socket where users inside are others", async () => {
    using its = begun();
    its.engine.values.set("/info", { SecurityOptions: ["name=seccomp", "name=userns"] });
    const building = its.build();
    await its.engine.running();
    expect(its.made().HostConfig.UsernsMode).toBe("host");
    its.engine.exit(1);
    await building;
  });

  test("that is clean restores nothing, and has new caches", async () => {
    using its = begun();
    const Labels = {
      ...{ "localhostess.owner": "me", "localhostess.project": "/shop" },
      ...{ "localhostess.service": "web", "localhostess.cache": "build" },
    };
    its.engine.values.set("/volumes", { Volumes: [{ Name: "old", Labels }, { Name: "other" }] });
    const building = its.build({ clean: true });
    await its.engine.running();
    expect(its.made().Cmd).toContain("-skip-restore");
    const removed = its.engine.asked.filter((one) => one.startsWith("DELETE /volumes"));
    expect(removed).toEqual(["DELETE /volumes/old"]);
    its.engine.exit(1);
    await building;
  });

  test("that is ended removes its container before it resolves", async () => {
    using its = begun();
    const building = its.build();
    await its.engine.running();
    its.abort.abort();
    expect(await building).toEqual({ kind: "cancelled" });
    expect(its.engine.containers.size).toBe(0);
  });

  test("takes the place of one that is under way, and touches no other container", async () => {
    using its = begun();
    const labels = {
      ...{ "localhostess.owner": "me", "localhostess.project": "/shop" },
      "localhostess.service": "web",
    };
    its.engine.has({ labels: { ...labels, "localhostess.builds": "yes" }, running: true });
    its.engine.has({ labels, running: true });
    const building = its.build();
    await its.engine.running();
    expect(its.engine.containers.size).toBe(2);
    its.engine.exit(1);
    await building;
    expect(its.engine.containers.size).toBe(1);
  });

  test("by a builder for another architecture says so, and why it failed", async () => {
    using its = begun();
    its.engine.values.set("/info", { Architecture: "x86_64" });
    const building = its.build();
    await its.engine.running();
    its.engine.print(
      "stderr",
      "[FATAL tini (7)] exec /cnb/lifecycle/creator failed: Exec format error\n",
    );
    its.engine.exit(126);
    const what = "b:1 is for another architecture; use one for the engine's own";
    expect(await building).toMatchObject({ kind: "failed", why: expect.stringContaining(what) });
    expect(its.said[0]).toContain("b:1 is for arm64, and runs only where the engine translates it");
  });

  test("whose lifecycle makes nothing is no success", async () => {
    using its = begun();
    const building = its.build();
    await its.engine.running();
    its.engine.exit(0);
    const what = "b:1 has ended without a failure, and there is no image";
    expect(await building).toEqual({ kind: "failed", why: what, passing: true });
  });

  for (const [what, prepare, sentence] of [
    [
      "whose registry cannot be reached",
      ({ engine }) => {
        engine.values.set("/images/b:1/json", undefined);
        engine.refuse("/images/create", 500, "dial tcp: lookup registry-1: no such host");
      },
      "its builder b:1 cannot be pulled: dial tcp: lookup registry-1: no such host; pull it once while its registry can be reached: docker pull b:1",
    ],
    [
      "whose run image cannot be had",
      ({ engine }) => {
        engine.values.set("/images/r:1/json", undefined);
        engine.refuse("/images/create", 404, "pull access denied for r");
      },
      "its run image r:1 cannot be pulled: pull access denied for r; pull it once",
    ],
    [
      "that is none",
      ({ engine }) => void engine.values.set("/images/sha256:b/json", { Id: "b", Config: {} }),
      "b:1 is no builder",
    ],
    [
      "without a creator",
      ({ engine }) => engine.refuse("/start", 400, "exec: /cnb/lifecycle/creator: no such file"),
      "b:1 has no /cnb/lifecycle/creator, which makes its images; use another builder",
    ],
    [
      "at an engine whose socket cannot be mounted",
      ({ engine }) =>
        engine.refuse("/containers/create", 400, "invalid mount: bind source path does not exist"),
      "the engine cannot mount its own socket",
    ],
    [
      "to which the files cannot be sent",
      ({ engine }) => engine.refuse("/archive", 500, "no space left on device"),
      `the files of ${context} cannot be sent to the engine: no space left on device`,
    ],
  ] as const satisfies readonly (readonly [string, (its: Begun) => void, string])[]) {
    test(`by one ${what} fails with a sentence`, async () => {
      expect(await why(prepare)).toContain(sentence);
    });
  }
});
