/**
 * Images by a builder, in a real engine. The builder is made on the spot, and its lifecycle is a program of our own
 * (test/support/creator.ts): nothing here has been run against the builders of Heroku or Paketo, which need a network.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cli } from "../cli/cli.ts";
import { builderImage } from "../support/builder-image.ts";
import { type ContainerEngine, containerEngine } from "../support/container-engine.ts";
import { endNow } from "../support/daemon-place.ts";
import { lackingFor } from "../support/engine-needs.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

/** A port is chosen by the name: other tests, side by side, would have the same one. */
const project = `shop-${crypto.randomUUID().slice(0, 8)}`;
const id = `${project}:web`;

const patience = 120_000;
const needs = lackingFor("docker");
const ownScript = '#!/bin/sh\necho "$0 of the project runs"\n';
const secret = "Basic c2VjcmV0";

describe.skipIf(needs !== "")(`images by a builder${needs}`, () => {
  let engine: ContainerEngine;
  let place: ProjectPlace;
  let env: Record<string, string>;
  let directory: string;

  beforeAll(async () => {
    engine = await containerEngine("docker");
    [place] = await Promise.all([projectPlace(), builderImage(engine)]);
    env = {
      ...{ PATH: process.env.PATH!, DOCKER_HOST: `unix://${engine.socket}` },
      ...{ HTTP_PROXY: "http://proxy.example:3128", CNB_REGISTRY_AUTH: secret },
    };
    directory = await place.project(
      project,
      `[services.web]
build = { builder = "shop/builder:1", buildpacks = ["tests/page", "./buildpacks/own"] }
env = { WORD = "of the file" }
pull = "never"
restart = "no"
stop_timeout = "1s"
`,
    );
    write("page", "the first\n");
    write("lock", "one\n");
    write("left-out", "");
    mkdirSync(join(directory, "buildpacks/own/bin"), { recursive: true });
    write("buildpacks/own/buildpack.toml", '[buildpack]\nid = "own"\nversion = "1"\n');
    for (const name of ["detect", "build"]) write(`buildpacks/own/bin/${name}`, ownScript, 0o755);
    write(
      "project.toml",
      '[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["left-out"]\n' +
        '[[io.buildpacks.build.env]]\nname = "FROM_FILE"\nvalue = "of project.toml"\n',
    );
  }, patience);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await engine?.stop();
  }, patience);

  function write(name: string, text: string, mode = 0o644): void {
    writeFileSync(join(directory, name), text, { mode });
  }

  async function get(): Promise<string> {
    const { url } = await place.row(id);
    return await (await fetch(url!, { headers: { Host: new URL(url!).host } })).text();
  }

  const up = () => place.up(directory, { env });
  const build = (...flags: string[]) =>
    cli(["build", id, ...flags], {
      env: { ...env, LOCALHOSTESS_STATE_DIR: place.daemon.directory },
    });
  const stop = () => place.send({ Stop: { name: id } });

  type Container = { Id: string; Image: string; Labels: Record<string, string> };

  async function containers(): Promise<Container[]> {
    return JSON.parse(await engine.api("GET", "/containers/json?all=true")) as Container[];
  }

  /** Tags of what is made for services here. */
  async function made(): Promise<string[]> {
    const all = JSON.parse(await engine.api("GET", "/images/json")) as {
      RepoTags: string[] | null;
    }[];
    const tags = all.flatMap(({ RepoTags }) => RepoTags ?? []);
    return tags
      .map((its) => its.replace(/^docker\.io\//, ""))
      .filter((its) => its.startsWith("localhostess/"));
  }

  async function caches(): Promise<string[]> {
    const { Volumes } = JSON.parse(await engine.api("GET", "/volumes")) as {
      Volumes: { Name: string }[];
    };
    return Volumes.map(({ Name }) => Name);
  }

  /** Lines of the service's log since the last call. */
  let heard = 0;
  async function news(): Promise<string[]> {
    const all = await place.logs(id);
    const fresh = all.slice(heard);
    heard = all.length;
    return fresh;
  }

  test(
    "one is built with the file's and the person's variables, runs its default process, and answers",
    async () => {
      expect((await up()).at(-1)).toBe("Ok");
      expect(await get()).toBe("the first\none\n");
      const lines = await news();
      const phases = lines.filter((its) => its.startsWith("===>"));
      const names = ["ANALYZING", "DETECTING", "RESTORING", "BUILDING", "EXPORTING"];
      expect(phases).toEqual(names.map((its) => `===> ${its}`));
      expect(lines).toContain("files of 1001:1000: buildpacks locald.toml lock page project.toml");
      expect(lines).toContain("/cnb/buildpacks/own/1/bin/build of the project runs");
      expect(lines).toContain("WORD is of the file.");
      expect(lines).toContain("FROM_FILE is of project.toml.");
      expect(lines).toContain("HTTP_PROXY is http://proxy.example:3128.");
      expect(lines).toContain("credentials of registries: some");
      expect(lines).toContain("CNB_REGISTRY_AUTH is .");
      expect(lines.join("\n")).not.toContain(secret);
      expect(await made()).toEqual([
        expect.stringMatching(/^localhostess\/shop-.{8}-.{8}-web:.{16}$/),
      ]);
      expect(await containers()).toHaveLength(1);
      await stop();
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  test(
    "up without a change builds nothing; a change is built with the layers of before",
    async () => {
      const [before] = await made();
      expect((await up()).at(-1)).toBe("Ok");
      expect((await news()).filter((its) => its.startsWith("===>"))).toEqual([]);
      await stop();
      write("page", "the second\n");
      // Each waits for the other one, which has nothing to do any more.
      const both = await Promise.all([build(), build()]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      const said = both.map(({ err }) => err).join("");
      expect(said.split(`${id}: built in`).slice(1)).toHaveLength(1);
      expect(said.match(/nothing has changed since the last build/g)).toHaveLength(1);
      const out = both.map((its) => its.out).join("");
      expect(out).toContain("deps are used again\n");
      expect(out).toContain("previous image: one\n");
      expect(await containers()).toEqual([]);
      const clean = await build("--clean");
      expect(clean.out).toContain("deps are made\n");
      expect(clean.out).toContain("previous image: none\n");
      expect((await up()).at(-1)).toBe("Ok");
      expect(await get()).toBe("the second\none\n");
      expect((await news()).filter((its) => its.startsWith("===>"))).toEqual([]);
      const [after, ...others] = await made();
      expect(others).toEqual([]);
      expect(after).not.toBe(before);
      await stop();
    },
    patience,
  );

  test(
    "one that does not fit, or fails, says so, and the image before stays",
    async () => {
      const before = await made();
      write("broken", "");
      const why = "shop/builder:1 failed while building: a buildpack ended with exit code 51";
      expect((await up()).at(-1)).toEqual({ Error: expect.stringContaining(why) });
      expect(await place.row(id)).toMatchObject({ state: "failed" });
      expect(await news()).toContain("the page is broken");
      rmSync(join(directory, "broken"));
      rmSync(join(directory, "page"));
      expect((await up()).at(-1)).toEqual({
        Error: expect.stringContaining(
          `no group of buildpacks of shop/builder:1 fits ${directory}`,
        ),
      });
      write("page", "the second\n");
      expect(await made()).toEqual(before);
      expect(await containers()).toEqual([]);
    },
    patience,
  );

  /** Ways to end a build that is under way. */
  const endings: Record<string, () => Promise<unknown>> = {
    "stopped while analyzing": stop,
    "killed while detecting": async () => endNow((await place.row(id)).pid!),
    "left by a killed daemon while restoring": killDaemon,
    "killed with its daemon while building": async () => {
      const { pid } = await place.row(id);
      // The client first, so that nothing asks the engine to stop anything.
      for (const each of place.daemon.pids()) process.kill(each, "SIGSTOP");
      endNow(pid!);
      await killDaemon();
    },
    "killed while exporting": async () => endNow((await place.row(id)).pid!),
  };

  async function killDaemon(): Promise<void> {
    for (const pid of place.daemon.pids()) endNow(pid);
    await eventually("the daemon ends", () => place.daemon.pids().length === 0);
  }

  for (const [title, end] of Object.entries(endings)) {
    test(
      `one that is ${title} leaves no container, and the image before is what runs next`,
      async () => {
        const before = await made();
        const phase = title.split(" ").at(-1)!;
        write("hold", phase);
        const upping = up().catch(() => []);
        await eventually(
          `it is ${phase}`,
          async () =>
            (await place.logs(id).catch((): string[] => [])).includes(`held while ${phase}`),
          30_000,
        );
        const [its] = await containers();
        expect(its!.Labels["localhostess.service"]).toBe("web");
        const inspected = await engine.api("GET", `/containers/${its!.Id}/json`);
        const { Path, Args } = JSON.parse(inspected) as { Path: string; Args: string[] };
        expect([Path, ...Args].join(" ")).not.toContain(secret);
        await end();
        rmSync(join(directory, "hold"));
        await upping;
        if (place.daemon.pids().length === 0) await place.daemon.start();
        await eventually("nothing is left", async () => {
          const left = await containers();
          return left.every(({ Id }) => Id !== its!.Id);
        });
        expect(await made()).toEqual(before);
        expect((await up()).at(-1)).toBe("Ok");
        expect(await get()).toBe("the second\none\n");
        expect(await made()).toEqual(before);
        await stop();
        expect(await containers()).toEqual([]);
      },
      patience,
    );
  }

  test(
    "a project that is forgotten has neither images nor caches",
    async () => {
      expect((await caches()).filter((its) => its.startsWith("localhostess-shop-"))).toHaveLength(
        2,
      );
      await place.send({ RegistryForget: { name: project } });
      await eventually("both are gone", async () => {
        const left = (await caches()).filter((its) => its.startsWith("localhostess-shop-"));
        return left.length === 0 && (await made()).length === 0;
      });
      expect(await caches()).toEqual([]);
    },
    patience,
  );
});
