/** The verbs about plugins, with the components that are kept here. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { shownSize } from "../../../src/text/size.ts";
import { jsonFaults } from "../../support/json-style.ts";
import {
  examplePlugin,
  hasTranspiler,
  hostilePlugin,
  lackingTranspiler,
} from "../../support/plugin-calls.ts";
import { type PluginPerson, pluginPerson } from "../../support/plugin-person.ts";
import { answers } from "../json-shapes.ts";

const redis = examplePlugin("redis");
const bytes = readFileSync(redis);
const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

let her: PluginPerson;
beforeEach(() => {
  her = pluginPerson('[services.cache]\ntype = "redis"\n');
});
afterEach(() => her[Symbol.dispose]());

/** Verbs whose answer was held against its shape. */
const held = new Set<string>();

async function answer(verb: string, ...words: string[]): Promise<unknown> {
  const value = await her.json(...verb.split(" "), ...words);
  const read = v.safeParse(answers[verb]!.shape!, value);
  expect([
    verb,
    ...(read.issues?.map((its) => `${v.getDotPath(its)}: ${its.message}`) ?? []),
  ]).toEqual([verb]);
  // The form of a plan is that of locald.
  if (verb !== "plugin inspect") expect(jsonFaults(value, verb)).toEqual([]);
  held.add(verb);
  return value;
}

const plugin = (...words: string[]) => her.run("plugin", ...words);
const kept = (): Record<string, never> =>
  JSON.parse(readFileSync(join(her.stateDirectory, "plugins.json"), "utf8"));
const installed = (): string[] => {
  const folder = join(her.stateDirectory, "plugins");
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe.skipIf(!hasTranspiler())(`with the transpiler${lackingTranspiler()}`, () => {
  test("one is installed, listed, looked at and removed", async () => {
    const row = {
      name: "redis",
      from: "user",
      state: "ready",
      sha256,
      claims: ["redis"],
      granted: [],
    };
    expect(await answer("plugin list")).toEqual([]);
    expect(await answer("plugin install", redis)).toMatchObject({ ...row, source: redis });
    expect(await answer("plugin list")).toMatchObject([row]);
    expect(await answer("plugin inspect", "redis", "--grant", "oci_pull")).toMatchObject({
      detect: "Redis in a container",
      plan: { ir_version: 1, requested_capabilities: ["oci-pull"] },
      errors: [],
    });
    expect(await answer("plugin remove", "redis")).toEqual({ name: "redis" });
    expect(await answer("plugin list")).toEqual([]);
    expect(installed()).toEqual([]);
  });

  test("install tells what a plugin will be asked, and what it may do", async () => {
    const { code, out, err } = await plugin("install", redis);
    expect(code).toBe(0);
    expect(out).toBe(
      `installed redis: sha256 ${sha256.slice(0, 12)}, ${shownSize(bytes.length)}\n`,
    );
    expect(err).toContain(
      'redis is asked about services of a type that localhostess does not have, and about those with type = "redis", which it knows\n',
    );
    expect(err).toContain("its plans may use declare-service and allocate-port; for more: ");
  });

  test("what is kept is the person's alone, and has a form", async () => {
    await plugin("install", redis, "--name", "cache");
    expect(kept()).toEqual({
      version: 1,
      plugins: { cache: { sha256, source: redis, claims: ["redis"], granted: [] } },
      agreed: {},
    } as never);
    const path = join(her.stateDirectory, "plugins.json");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(her.stateDirectory, "plugins/cache.wasm")).mode & 0o777).toBe(0o600);
    expect(installed()).toEqual(["cache.wasm"]);
  });

  test("two that are installed at once are both kept", async () => {
    const files = [redis, examplePlugin("static-site")];
    const ends = await Promise.all(files.map((its) => plugin("install", its)));
    expect(ends.map((its) => its.code)).toEqual([0, 0]);
    expect(Object.keys(kept().plugins!).sort()).toEqual(["redis", "static-site"]);
  });

  test("another one in the place of a plugin has none of what was granted to it", async () => {
    await plugin("install", redis);
    const path = join(her.stateDirectory, "plugins.json");
    writeFileSync(
      path,
      readFileSync(path, "utf8").replace('"granted": []', '"granted": ["oci-pull"]'),
    );
    expect(await her.json("plugin", "install", redis)).toMatchObject({ granted: ["oci-pull"] });
    const { out } = await plugin("install", examplePlugin("static-site"), "--name", "redis");
    expect(out).toStartWith("installed redis, in the place of another: ");
    expect(await her.json("plugin", "list")).toMatchObject([{ name: "redis", granted: [] }]);
  });

  test("what config.toml grants is told with what was granted at a terminal", async () => {
    const file = join(her.folder, "..", ".config/localhostess/config.toml");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '[plugins.redis]\ngrant = ["oci-pull"]\n');
    const { err } = await plugin("install", redis);
    expect(err).toContain(
      "its plans may use declare-service, allocate-port and oci-pull; for more: ",
    );
    expect(await her.json("plugin", "list")).toMatchObject([{ granted: ["oci-pull"] }]);
    expect(kept().plugins).toMatchObject({ redis: { granted: [] } });
  });

  test("a file of a project that is no component is no plugin, however large it is", async () => {
    const folder = join(her.folder, ".locald/plugins");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "huge.wasm"), "");
    truncateSync(join(folder, "huge.wasm"), 2 ** 40);
    writeFileSync(join(folder, "A!.wasm"), bytes);
    expect(await her.json("plugin", "list")).toEqual([]);
  });

  test("a plugin that was changed does not run", async () => {
    await plugin("install", redis);
    const path = join(her.stateDirectory, "plugins/redis.wasm");
    copyFileSync(examplePlugin("static-site"), path);
    expect(await her.json("plugin", "list")).toMatchObject([{ state: "changed", sha256 }]);
    const { code, err } = await plugin("inspect", "redis");
    expect(code).toBe(1);
    expect(err).toContain(
      `redis does not run: ${path} has changed since it was installed; install it again`,
    );
    await plugin("install", redis);
    expect((await plugin("inspect", "redis")).code).toBe(0);
  });

  test("a project's plugin runs when the person has agreed to it as it is", async () => {
    const folder = join(her.folder, ".locald/plugins");
    mkdirSync(folder, { recursive: true });
    copyFileSync(redis, join(folder, "redis.wasm"));
    expect(await answer("plugin list")).toMatchObject([{ from: "project", state: "not_agreed" }]);
    const refused = await plugin("inspect", "redis");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      "redis does not run before you agree: localhostess plugin agree redis",
    );
    expect(await answer("plugin agree", "redis")).toMatchObject({ state: "ready", sha256 });
    expect((await plugin("inspect", "redis")).code).toBe(0);
    copyFileSync(examplePlugin("static-site"), join(folder, "redis.wasm"));
    expect(await her.json("plugin", "list")).toMatchObject([{ state: "not_agreed" }]);
    expect((await plugin("remove", "redis")).code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("one that is installed into the project is agreed to; others have to agree", async () => {
    expect(await her.json("plugin", "install", "--project", redis)).toMatchObject({
      ...{ from: "project", state: "ready", source: null },
      path: join(her.folder, ".locald/plugins/redis.wasm"),
    });
    using him = pluginPerson("[services]\n");
    mkdirSync(join(him.folder, ".locald/plugins"), { recursive: true });
    const path = join(him.folder, ".locald/plugins/redis.wasm");
    copyFileSync(join(her.folder, ".locald/plugins/redis.wasm"), path);
    expect(await him.json("plugin", "list")).toMatchObject([{ state: "not_agreed" }]);
  });

  test("a file is checked, and nothing of it is kept", async () => {
    expect(await answer("plugin validate", redis)).toEqual({
      ...{ path: redis, sha256, size: bytes.length, claims: ["redis"] },
    });
    expect(existsSync(her.stateDirectory)).toBe(false);
  });

  test("a file that is not installed can be looked at; what it says of a key is told", async () => {
    const { code, out, err } = await plugin("inspect", redis, "--kind", "redis", "--config", "n=3");
    expect({ code, out }).toEqual({ code: 1, out: "detect: Redis in a container\n" });
    expect(err).toContain("error: no key n; there are ");
    expect((await plugin("inspect", redis, "--kind", "smtp")).out).toStartWith("detect: none\n");
  });

  test("one that fails when it is asked is not installed", async () => {
    const { code, err } = await plugin("install", hostilePlugin("traps"));
    expect(code).toBe(1);
    expect(err).toContain("localhostess: traps was not installed: it failed with a trap: ");
    expect(installed()).toEqual([]);
    expect(await her.json("plugin", "list")).toEqual([]);
  });

  test("Tab offers the names of plugins", async () => {
    await plugin("install", redis);
    const { out } = await her.run("__complete", "--", "plugin", "remove", "");
    expect(out).toBe("redis\tready\n:none\n");
    expect((await her.run("__complete", "--", "plugin", "install", "")).out).toBe(":files\n");
  });

  describe("from an address", () => {
    type Answers = Readonly<Record<string, () => Response | Promise<Response>>>;

    async function installFrom(path: string, answers: Answers, ...words: string[]) {
      await using server = Bun.serve({
        ...{ hostname: "127.0.0.1", port: 0 },
        fetch: ({ url }) => answers[new URL(url).pathname]?.() ?? new Response("", { status: 404 }),
      });
      return await plugin("install", `${server.url.origin}${path}`, ...words);
    }

    const file = (): Response => new Response(bytes);

    test("it is installed where its hash is the one that was asked for, and not otherwise", async () => {
      const wrong = "0".repeat(64);
      const refused = await installFrom("/redis.wasm", { "/redis.wasm": file }, "--sha256", wrong);
      expect(refused.code).toBe(1);
      expect(refused.err).toMatch(/redis\.wasm has another hash than was asked for: [0-9a-f]{64}/);
      expect(installed()).toEqual([]);
      const word = sha256.toUpperCase();
      const done = await installFrom("/redis.wasm", { "/redis.wasm": file }, "--sha256", word);
      expect(done.code).toBe(0);
      expect(installed()).toEqual(["redis.wasm"]);
    });

    test("it may lead to another address, but to none without TLS elsewhere", async () => {
      const to = (location: string) => () =>
        new Response("", { status: 302, headers: { location } });
      const answers = {
        "/a": to("/b/redis.wasm"),
        "/b/redis.wasm": file,
        "/c": to("http://a.test/x"),
      };
      expect((await installFrom("/a", answers, "--name", "redis")).code).toBe(0);
      const { code, err } = await installFrom("/c", answers, "--name", "other");
      expect(code).toBe(2);
      expect(err).toContain("http://a.test is not taken; use https");
      const round = await installFrom("/d", { "/d": to("/d") }, "--name", "other");
      expect(round.err).toContain("leads from one address to the next without end");
    });

    test("nothing that is too large or missing is taken", async () => {
      const large = (): Response => new Response(new Uint8Array(16 * 1024 * 1024 + 1));
      const { err } = await installFrom("/large.wasm", { "/large.wasm": large });
      expect(err).toContain("is larger than 16 MiB, and is not taken");
      expect((await installFrom("/none.wasm", {})).err).toContain("was answered with status 404");
    });
  });
});

describe("without the transpiler", () => {
  test.each<[words: string[], code: number, said: string]>([
    [["install", "http://shop.test/a.wasm"], 2, "http://shop.test is not taken; use https"],
    [["install", "ftp://shop.test/a.wasm"], 2, "ftp://shop.test is not taken; a file, https and"],
    [["install", "https://me:secret@shop.test/a.wasm"], 2, "an address with a password in it is"],
    [["install", "none.wasm"], 2, "none.wasm: no such file"],
    [["install", redis, "--name", "constructor"], 2, "constructor is no name for a plugin"],
    [["install", "https://me:secret@shop.test:99999/a"], 2, "https://…@shop.test:99999/a is no"],
    [["new", "locald.toml"], 1, "locald.toml is there already, and is no folder"],
    [["install", "/"], 2, "/ is a folder; name the component in it, such as redis.wasm"],
    [["install", redis, "--sha256", "abc"], 2, "--sha256: expected 64 hexadecimal digits"],
    [["install", redis, "--name", "A b"], 2, "A b is no name for a plugin: expected at most 63"],
    [["install", import.meta.path], 1, "is no WebAssembly component"],
    [["install", hostilePlugin("asks-for-wasi")], 1, "asks for wasi:cli/environment@0.2.0 and"],
    [["install", hostilePlugin("other-world")], 1, "does not export locald:plugins/plugin@0.1.0;"],
    [["validate", "https://shop.test/a.wasm"], 2, "only a file is validated"],
    [["inspect", "reds"], 2, "no plugin is called reds; localhostess plugin list shows those"],
    [["inspect", redis, "--grant", "write"], 2, "--grant write: no such capability"],
    [["inspect", redis, "--config", "port"], 2, "--config port: expected a key and a value"],
    [["remove", "redis"], 2, "no plugin is called redis"],
    [["agree", "redis"], 2, "this project has no plugin redis; they are in .locald/plugins"],
    [["new", "A!"], 2, "a! is no name for a plugin"],
  ])("%p is answered with what is wrong", async (words, code, said) => {
    const ran = await plugin(...words);
    expect(ran.err).toContain(said);
    expect(ran.err).not.toContain("secret");
    expect(ran.code).toBe(code);
  });

  test("outside of a project, there is no project to agree in", async () => {
    using nobody = pluginPerson();
    const { code, err } = await nobody.run("plugin", "agree", "redis");
    expect(code).toBe(2);
    expect(err).toContain("there is no project here; localhostess init makes one");
  });

  test("a file of a newer version, or a broken one, is named and stays as it is", async () => {
    mkdirSync(her.stateDirectory, { mode: 0o700 });
    const path = join(her.stateDirectory, "plugins.json");
    for (const text of ['{"version":9,"plugins":{}}', '{"version":1,"plugins":[]}', "{"]) {
      writeFileSync(path, text, { mode: 0o600 });
      const { code, err } = await plugin("install", redis);
      expect(code).toBe(1);
      expect(err).toContain(path);
      expect(readFileSync(path, "utf8")).toBe(text);
    }
    appendFileSync(path, " ");
    expect((await plugin("list")).err).toContain("correct it, or begin anew: mv ");
  });

  test("what config.toml grants to the person's own plugin is not for a project's of that name", async () => {
    mkdirSync(join(her.stateDirectory, "plugins"), { recursive: true, mode: 0o700 });
    copyFileSync(redis, join(her.stateDirectory, "plugins/redis.wasm"));
    const own = { sha256, source: redis, claims: [], granted: [] };
    const text = JSON.stringify({ version: 1, plugins: { redis: own }, agreed: {} });
    writeFileSync(join(her.stateDirectory, "plugins.json"), text, { mode: 0o600 });
    mkdirSync(join(her.folder, ".locald/plugins"), { recursive: true });
    copyFileSync(redis, join(her.folder, ".locald/plugins/redis.wasm"));
    const file = join(her.folder, "..", ".config/localhostess/config.toml");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '[plugins.redis]\ngrant = ["oci-pull"]\n');
    expect(await her.json("plugin", "list")).toMatchObject([
      { from: "project", granted: [] },
      { from: "user", granted: ["oci-pull"] },
    ]);
  });

  test("a project whose folder of plugins is a link has nothing put or removed behind it", async () => {
    const outside = join(her.folder, "../outside");
    mkdirSync(outside);
    copyFileSync(redis, join(outside, "redis.wasm"));
    mkdirSync(join(her.folder, ".locald"));
    symlinkSync(outside, join(her.folder, ".locald/plugins"));
    for (const words of [
      ["remove", "redis"],
      ["install", "--project", examplePlugin("static-site")],
    ]) {
      const { code, err } = await plugin(...words);
      expect(code).toBe(1);
      expect(err).toContain(".locald/plugins is a symbolic link; plugin changes nothing there");
    }
    expect(readdirSync(outside)).toEqual(["redis.wasm"]);
  });

  test("new makes the source of a plugin in a new folder, and nothing in one that is not empty", async () => {
    expect(await answer("plugin new", "my_queue")).toEqual({
      name: "my-queue",
      folder: join(her.folder, "my_queue"),
      files: ["package.json", "wit/plugin.wit", "plugin.js", "README.md", ".gitignore"],
    });
    const made = (name: string): string => readFileSync(join(her.folder, "my_queue", name), "utf8");
    const { scripts, devDependencies } = JSON.parse(made("package.json"));
    expect(scripts.build).toContain("--disable all -o my-queue.wasm");
    for (const version of Object.values(devDependencies))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(made("wit/plugin.wit")).toContain("package locald:plugins@0.1.0;");
    expect(made("plugin.js")).toContain('spec.kind === "my-queue"');
    expect(made("README.md").trimEnd().split("\n")).toHaveLength(3);
    const again = await plugin("new", "my_queue");
    expect(again.code).toBe(1);
    expect(again.err).toContain("my_queue is there already, and has files in it");
  });
});

test.skipIf(!hasTranspiler())("every answer was held against its shape", () => {
  const own = Object.keys(answers).filter((verb) => answers[verb]!.withPlugin);
  // Others hold theirs beside what they are about.
  expect(own.filter((verb) => verb !== "plugin plan" && !held.has(verb))).toEqual([]);
});
