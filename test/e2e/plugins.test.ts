/** The example plugins with a daemon: installed, granted, applied by `up`, changed, removed; and hostile ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { appendFile, copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { transpilerFolder } from "../../src/plugins/transpiler.ts";
import { session, spawned } from "../cli/cli.ts";
import {
  examplePlugin,
  hasTranspiler,
  hostilePlugin,
  lackingTranspiler,
  pluginCache,
} from "../support/plugin-calls.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";

const patience = 120_000;

const web = `exec bun -e 'Bun.serve({ port: process.env.PORT, fetch: () => new Response(process.env.LEVEL) })'`;

const docs = (title: string) => `[services.docs]
type = "static-site"
title = "${title}"
`;
const app = `[services.app]
type = "procfile"
procfile = """
web: ${web}
worker: echo works at $LEVEL; exec sleep 1000
"""
env = { LEVEL = "debug" }
`;

describe.skipIf(!hasTranspiler())(`plugins${lackingTranspiler()}`, () => {
  let place: ProjectPlace;
  let directory: string;
  let config: string;

  beforeAll(async () => {
    place = await projectPlace();
    const { daemon } = place;
    config = join(daemon.directory, "config.toml");
    const cache = join(daemon.directory, "cache");
    Object.assign(daemon.env, { LOCALHOSTESS_CONFIG: config, XDG_CACHE_HOME: cache });
    await writeFile(config, "containers = false\n");
    // What a first installation fetches.
    const transpiler = transpilerFolder(pluginCache);
    const there = join(cache, "localhostess/plugins", basename(transpiler));
    await cp(transpiler, there, { recursive: true });
    directory = await place.project("manual", docs("The manual") + app);
  }, patience);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  }, patience);

  const run = (...words: string[]) => spawned(words, { env: place.daemon.env, cwd: directory });
  const write = (text: string) => writeFile(join(directory, "locald.toml"), text);
  const pageAt = () => join(directory, "public/index.html");

  async function get(name: string, path = "/"): Promise<string> {
    const { port } = await place.daemon.running();
    const headers = { host: `${name}.localhost` };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return `${answer.status} ${await answer.text()}`;
  }

  test(
    "without a plugin, the type of a service is unknown",
    async () => {
      const up = await run("up");
      expect(up.code).not.toBe(0);
      expect(up.err).toContain('services.docs.type: type "static-site" is unknown');
      expect(up.err).toContain('services.app.type: type "procfile" is unknown');
    },
    patience,
  );

  test(
    "those that mean harm are not installed, each with its sentence",
    async () => {
      const rows = [
        ["asks-for-wasi", "asks for wasi:cli/environment@0.2.0"],
        ["endless-detect", "did not answer within 5 s"],
        ["traps", "failed with a trap"],
        ["other-type", "answered detect with what is no text"],
      ] as const;
      for (const [name, why] of rows) {
        const installed = await run("plugin", "install", hostilePlugin(name));
        expect([name, installed.code]).toEqual([name, 1]);
        expect(installed.err).toContain(why);
      }
      const { out } = await run("plugin", "list", "--json");
      expect(JSON.parse(out)).toEqual([]);
    },
    patience,
  );

  test(
    "what a plan needs beyond services and ports is refused where nobody can be asked",
    async () => {
      for (const name of ["static-site", "procfile-to-services"]) {
        const installed = await run("plugin", "install", examplePlugin(name));
        expect([installed.err, installed.code]).toEqual([expect.any(String), 0]);
      }
      const up = await run("up");
      expect(up.code).not.toBe(0);
      expect(up.err).toContain("has not been granted render-template and write-file");
      expect(up.err).toContain('grant = ["render-template", "write-file"]');
      expect(existsSync(pageAt())).toBe(false);
      expect((await place.rows()).filter(({ pid }) => pid !== null)).toEqual([]);
    },
    patience,
  );

  test(
    "granted, up makes the services, their ports and their files",
    async () => {
      await appendFile(
        config,
        '[plugins.static-site]\ngrant = ["render-template", "write-file"]\n',
      );
      const up = await run("up");
      expect([up.err, up.code]).toEqual([expect.any(String), 0]);
      expect(up.err).toContain("docs is made by the plugin static-site:");
      expect(up.err).toContain("app is made by the plugin procfile-to-services:");
      expect(await get("docs.manual")).toStartWith("200 <!doctype html>");
      expect(await get("docs.manual")).toContain("<h1>The manual</h1>");
      await place.until("manual:app", ({ state }) => state === "ready");
      expect(await get("app.manual")).toBe("200 debug");
      await place.until("manual:app-worker", ({ state }) => state === "ready");
      expect(await place.logs("manual:app-worker")).toContain("works at debug");
    },
    patience,
  );

  test(
    "the plan is shown by plugin plan and in status, with its plugin",
    async () => {
      const plan = await run("plugin", "plan", "docs");
      expect(plan.out).toContain('services.docs.type = "site"');
      expect(plan.out).toContain("public/index.html");
      const { out } = await run("status", "--json");
      type Row = { service: string; plugin: string | null; plan: { plan: object } | null };
      const rows = JSON.parse(out) as Row[];
      expect(rows.map(({ service, plugin }) => [service, plugin]).sort()).toEqual([
        ["app", "procfile-to-services"],
        ["app-worker", "procfile-to-services"],
        ["docs", "static-site"],
      ]);
      const site = rows.find(({ service }) => service === "docs")!;
      expect(site.plan).toMatchObject({ service: "docs", plan: { ir_version: 1 } });
      const { out: text } = await run("status");
      expect(text).toContain(
        "manual:app-worker is made by the plugin procfile-to-services; its plan: localhostess plugin plan app",
      );
    },
    patience,
  );

  test(
    "nothing changes where nothing has changed",
    async () => {
      const before = await place.row("manual:app");
      const up = await run("up");
      expect(up.code).toBe(0);
      expect(up.err).not.toContain("is made by");
      expect(up.err).not.toContain("has changed");
      expect((await place.row("manual:app")).pid).toBe(before.pid);
      expect((await place.row("manual:app")).port).toBe(before.port);
    },
    patience,
  );

  test(
    "a plan that changes shows its difference, and rewrites only what it has written",
    async () => {
      await write(docs("Another manual") + app);
      const up = await run("up");
      expect(up.code).toBe(0);
      expect(up.err).toContain("the plan of the plugin static-site for docs has changed:");
      expect(await get("docs.manual")).toContain("<h1>Another manual</h1>");
      await writeFile(pageAt(), "my own");
      await write(docs("A third one") + app);
      const again = await run("up");
      expect(again.err).toContain("public/index.html is left as it is, since you have changed it");
      expect(await readFile(pageAt(), "utf8")).toBe("my own");
    },
    patience,
  );

  test(
    "a plugin that is not the one that was installed does not run",
    async () => {
      const path = join(place.daemon.directory, "plugins/static-site.wasm");
      await copyFile(examplePlugin("redis"), path);
      await write(docs("A fourth one") + app);
      const up = await run("up");
      expect((await run("plugin", "install", examplePlugin("static-site"))).code).toBe(0);
      expect(up.err).toContain("the plugin static-site has changed since it was installed");
    },
    patience,
  );

  test(
    "a project's plugin runs once a person has agreed to it as it is",
    async () => {
      const folder = join(directory, ".locald/plugins");
      await mkdir(folder, { recursive: true });
      await copyFile(examplePlugin("procfile-to-services"), join(folder, "lines.wasm"));
      await write(
        `${docs("A fourth one")}${app.replace('type = "procfile"', '$&\nplugin = "lines"')}`,
      );
      const up = await run("up");
      expect(up.err).toContain("localhostess plugin agree lines");
      expect((await run("plugin", "agree", "lines")).code).toBe(0);
      const agreed = await run("up");
      expect([agreed.err, agreed.code]).toEqual([expect.any(String), 0]);
      await place.until("manual:app", ({ state }) => state === "ready");
      expect(await get("app.manual")).toBe("200 debug");
    },
    patience,
  );

  test(
    "a plugin that never ends costs its own service, and nothing else",
    async () => {
      const folder = join(directory, ".locald/plugins");
      await copyFile(hostilePlugin("endless-apply"), join(folder, "endless.wasm"));
      await copyFile(hostilePlugin("eats-memory"), join(folder, "eats.wasm"));
      for (const name of ["endless", "eats"]) {
        expect((await run("plugin", "agree", name)).code).toBe(0);
      }
      const before = await place.row("manual:app");
      const harm = ["endless", "eats"].map((name) => `[services.${name}]\nplugin = "${name}"\n`);
      await appendFile(join(directory, "locald.toml"), harm.join(""));
      const up = await run("up");
      expect(up.err).toContain("endless: the plugin endless did not answer within 5 s");
      expect(up.err).toContain("eats: the plugin eats failed with a trap");
      expect((await place.row("manual:app")).pid).toBe(before.pid);
      expect(await get("app.manual")).toBe("200 debug");
      expect(await get("docs.manual")).toStartWith("200 ");
    },
    patience,
  );

  test(
    "what was written goes with its service",
    async () => {
      await write(app.replace('type = "procfile"', '$&\nplugin = "lines"'));
      await run("up");
      await place.gone("manual:docs");
      // A person's own stays.
      expect(await readFile(pageAt(), "utf8")).toBe("my own");
      await writeFile(
        join(directory, "locald.toml"),
        docs("Anew").replace("[services", "[services").concat('path = "dist"\n'),
      );
      expect((await run("up")).code).toBe(0);
      expect(existsSync(join(directory, "dist/index.html"))).toBe(true);
      await write('[services.plain]\ntype = "site"\npath = "."\n');
      expect((await run("up")).code).toBe(0);
      expect(existsSync(join(directory, "dist"))).toBe(false);
    },
    patience,
  );

  test(
    "at a terminal, up asks for what is missing, and keeps the answer",
    async () => {
      await writeFile(config, "containers = false\n");
      await write(docs("At a terminal").concat('path = "dist"\n'));
      await using up = session(["up"], { env: place.daemon.env, cwd: directory, columns: 120 });
      await up.until((text) => text.includes("Allow it, for all projects? [y/N]"));
      up.type("y\r");
      expect(await up.ended()).toBe(0);
      expect(await get("docs.manual")).toContain("At a terminal");
      expect((await run("up")).code).toBe(0);
    },
    patience,
  );
});
