/** config check, show and schema, with the real program. */
import { describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readToml } from "../../src/manifest/toml.ts";
import { folder } from "./folder.ts";

const shop = `[project]
name = "shop"

[services.web]
command = "bun dev"
depends_on = ["db"]

[services.db]
command = "redis-server"
`;

describe("config check", () => {
  test("without errors says what starts, in order", async () => {
    await using its = await folder({ "locald.toml": shop });
    expect(await its.run(["config", "check"])).toEqual({
      code: 0,
      out: "shop: no errors; 2 services: db, web\n",
      err: "",
    });
  });

  test("reports every error, with its file as it is seen from here", async () => {
    const wrong = `${shop.replace('"db"', '"bd"')}prot = 3\n`;
    await using its = await folder({
      "locald.toml": wrong,
      "apps/x": "",
      "../.locald.toml": "a = 1",
    });
    const mistakes = (at: string, layer: string): string[] => [
      `${at}:6 services.web.depends_on[0]: no service "bd"; did you mean "db"?`,
      `${at}:10 services.db.prot: unknown key; did you mean "port"?`,
      `${layer}:1 a: unknown key; the keys are project, env, services and worktree`,
    ];
    const here = await its.run(["config", "check"]);
    expect(here).toEqual({
      code: 1,
      out: "",
      err: mistakes("locald.toml", "../.locald.toml")
        .map((line) => `${line}\n`)
        .join(""),
    });
    const below = await its.run(["config", "check"], "apps");
    expect(below.err.split("\n")[0]).toBe(mistakes("../locald.toml", "")[0]!);
    const json = await its.run(["config", "check", "--json", "locald.toml"]);
    expect({ code: json.code, err: json.err, out: JSON.parse(json.out) }).toEqual({
      code: 1,
      err: "",
      out: {
        project: null,
        directory: its.path,
        order: [],
        mistakes: mistakes("locald.toml", "../.locald.toml"),
        warnings: [],
      },
    });
  });

  test("prints what is odd in .env with its line, which is no error", async () => {
    await using its = await folder({ "locald.toml": shop, ".env": "A=1\nwhat is this\nB=2\n" });
    const warning = ".env:2 expected NAME=value; the line is ignored";
    expect(await its.run(["config", "check"])).toEqual({
      code: 0,
      out: "shop: no errors; 2 services: db, web\n",
      err: `warning: ${warning}\n`,
    });
    const { out } = await its.run(["config", "check", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ mistakes: [], warnings: [warning] });
  });

  test("tells of config.toml too, each error once", async () => {
    await using its = await folder({ "locald.toml": shop });
    const path = join(its.env.XDG_CONFIG_HOME!, "localhostess/config.toml");
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, 'port = "x"\n[services.db]\nprot = 1\n');
    const { code, err } = await its.run(["config", "check"]);
    expect(code).toBe(1);
    expect(err.split("\n")).toEqual([
      '../.config/localhostess/config.toml:3 services.db.prot: unknown key; did you mean "port"?',
      `${path}:1 port: expected a number from 0 to 65535, got "x"`,
      "",
    ]);
    await writeFile(path, "a = \n");
    expect((await its.run(["config", "check"])).err.trim().split("\n")).toHaveLength(1);
  });

  test("where there is nothing says what to do", async () => {
    await using its = await folder({});
    const { code, err } = await its.run(["config", "check"]);
    expect(code).toBe(1);
    expect(err).toBe(
      `localhostess: no locald.toml, Procfile.dev or Procfile in ${its.path}; create one with: localhostess init\n`,
    );
    expect((await its.run(["config", "check", "nosuch"])).code).toBe(2);
  });

  test("what is in the file reaches the terminal as text", async () => {
    await using its = await folder({ "locald.toml": '"\\u001b[2J" = 1\n' });
    expect((await its.run(["config", "check"])).err).not.toContain("\x1b");
  });
});

describe("config show", () => {
  test("is a file that says the same, with what nobody said", async () => {
    await using its = await folder({ "locald.toml": shop, ".env": "A='x\"y'\n" });
    const first = await its.run(["config", "show"]);
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(readToml(first.out)).toMatchObject({
      kind: "done",
      document: {
        value: {
          project: { name: "shop", domain: "shop.localhost" },
          env: { A: 'x"y' },
          services: {
            web: { type: "exec", command: "bun dev", depends_on: ["db"], stop_timeout: "5s" },
            db: { type: "exec", command: "redis-server" },
          },
        },
      },
    });
    await writeFile(join(its.path, "locald.toml"), first.out);
    expect((await its.run(["config", "show"])).out).toBe(first.out);
  });

  test("--provenance says where each value comes from", async () => {
    await using its = await folder({
      "locald.toml": shop,
      ".env": "A=1\n",
      "../.locald.toml": "[services.web]\nstop_timeout = 9\n",
    });
    const { out } = await its.run(["config", "show", "--provenance"]);
    expect(out).toContain('name = "shop"  # locald.toml:2\n');
    expect(out).toContain('domain = "shop.localhost"  # default\n');
    expect(out).toContain('[env]\nA = "1"  # .env:1\n');
    expect(out).toContain("stop_timeout = 9  # ../.locald.toml:2\n");
    expect(readToml(out).kind).toBe("done");
    const json = JSON.parse((await its.run(["config", "show", "--provenance", "--json"])).out);
    expect(json).toMatchObject({ name: "shop", directory: its.path });
    expect(json.provenance).toContainEqual({
      key: "services.web.stop_timeout",
      value: 9,
      file: "../.locald.toml",
      line: 2,
    });
  });

  test("of a file with errors reports them", async () => {
    await using its = await folder({ "locald.toml": "x = 1\n" });
    const { code, out, err } = await its.run(["config", "show"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith("locald.toml:1 x: unknown key");
  });
});

test("config schema is JSON Schema", async () => {
  await using its = await folder({});
  const { code, out } = await its.run(["config", "schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ type: "object", properties: { services: {} } });
});
