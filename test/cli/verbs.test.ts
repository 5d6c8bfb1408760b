/** ls, url, port, open and pac, with the real program and real servers. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { realpathSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pacFile } from "../../pac/proxy.pac.ts";
import { lacking } from "../support/debian.ts";
import { hostilePath, layTraps, sprung } from "../support/traps.ts";
import { type Ended, cli, freshState, type State, session, spawned } from "./cli.ts";
import { type TestServer, testServer } from "./server-process.ts";

// Each test runs the program several times, on a machine that may be busy.
setDefaultTimeout(60_000);

let state: State;
let server: TestServer;

beforeAll(async () => {
  state = await freshState();
  server = await testServer();
});

afterAll(async () => {
  await server.end();
  await state[Symbol.asyncDispose]();
});

const run = (args: readonly string[], env = {}): Promise<Ended> =>
  cli(args, { env: { ...state.env, ...env } });

/** The portable scanner, where its programs are installed. */
const byLsof = lacking(["lsof", "ps"]) === "" ? [["ls", "--scanner", "lsof"]] : [];

/** The line of a service; other suites have servers too. */
function lineOf(out: string, name: string): string | undefined {
  return out.split("\n").find((line) => line.startsWith(`${name} `));
}

describe("ls", () => {
  test("prints a row for a server, and says on stderr that the proxy is not running", async () => {
    for (const args of [[], ["ls"], ...byLsof]) {
      const { code, out, err } = await spawned(args, { env: state.env });
      expect(code).toBe(0);
      const line = lineOf(out, server.name)!;
      expect(line.split(/ {2,}/)).toEqual([
        server.name,
        `http://${server.name}.localhost:9090`,
        `:${server.port}`,
        String(server.pid),
        realpathSync(tmpdir()),
        expect.stringContaining("fixtures/server.ts 1"),
      ]);
      expect(err).toContain("the proxy is not running; start it with: localhostess server start");
    }
  });

  test("--json prints the rows that the issue names, and nothing on stderr", async () => {
    const { code, out, err } = await run(["ls", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const row = JSON.parse(out).find((its: { name: string }) => its.name === server.name);
    expect(row).toEqual({
      name: server.name,
      url: `http://${server.name}.localhost:9090`,
      address: "127.0.0.1",
      port: server.port,
      pid: server.pid,
      pids: [server.pid],
      ports: [server.port],
      command: expect.stringContaining("fixtures/server.ts 1"),
      cwd: realpathSync(tmpdir()),
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      source: "NAME",
      because: "NAME in its environment",
      checkout: null,
      origin: null,
      warnings: [],
    });
    expect(Object.keys(row)).toEqual(
      "name url address port pid pids ports command cwd started_at source because checkout origin warnings".split(
        " ",
      ),
    );
  });

  test("a pipe gets whole lines without colours", async () => {
    const long = "x".repeat(300);
    await using other = await testServer({ words: [long] });
    const { out } = await run(["ls"]);
    expect(lineOf(out, other.name)).toEndWith(long);
    expect(out).not.toContain("\x1b");
  });

  test("the URL's port is --port, else LOCALHOSTESS_PORT, else 9090", async () => {
    const urlOf = async (args: string[], env = {}) =>
      (await run(["url", server.name, ...args], env)).out;
    const on = (port: number) => `http://${server.name}.localhost:${port}\n`;
    expect(await urlOf([])).toBe(on(9090));
    expect(await urlOf([], { LOCALHOSTESS_PORT: "8081" })).toBe(on(8081));
    expect(await urlOf(["--port", "8082"], { LOCALHOSTESS_PORT: "8081" })).toBe(on(8082));
    // 0 is for the proxy; here it says nothing.
    expect(await urlOf([], { LOCALHOSTESS_PORT: "0" })).toBe(on(9090));
    expect(await urlOf([], { LOCALHOSTESS_PORT: "" })).toBe(on(9090));
  });

  test("two servers with one name are both listed, with a warning below", async () => {
    await using older = await testServer();
    const startedAt = Date.now();
    // Start times have whole seconds: of two in one second, the higher pid is the newer.
    await using newer = await testServer({ name: older.name });
    expect(newer.pid > older.pid || Date.now() - startedAt > 1000).toBeTrue();
    const { out } = await run(["ls"]);
    const lines = out.split("\n");
    expect(lines.filter((line) => line.startsWith(`${older.name} `))).toHaveLength(2);
    expect(out).toContain(
      `! ${older.name} (pid ${older.pid}): pid ${newer.pid} was started later and took this name over`,
    );
    expect((await run(["port", older.name])).out).toBe(`${newer.port}\n`);
  });

  test("neither a NAME nor a command line can reach the terminal as an escape", async () => {
    const mark = crypto.randomUUID().slice(0, 8);
    const evil = `\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r\nmark-${mark}`;
    await using other = await testServer({ name: evil, words: [evil] });
    const outputs = [
      await run(["ls"]),
      await run(["ls", "--verbose"]),
      await run(["ls", "--json"]),
      ...(await Promise.all(byLsof.map((args) => run(args)))),
    ];
    for (const { code, out, err } of outputs) {
      expect(code).toBe(0);
      expect(out).toContain(mark);
      expect(out + err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    const env = { ...state.env, NO_COLOR: "1" };
    await using watching = session(["ls", "--watch"], { env, columns: 500 });
    const screen = await watching.until((text) => text.includes(`  ${other.pid}  `));
    expect(screen).not.toMatch(/\x1b\]|\x07|\x1b\[31m|\x9b|\u202e/);
  });

  test("a terminal of 80 columns gets no line that is longer, and colours unless NO_COLOR", async () => {
    await using wide = await testServer({ words: ["宽".repeat(100)] });
    for (const NO_COLOR of [undefined, "1"]) {
      const env = { ...state.env, NO_COLOR };
      await using terminal = session(["ls"], { env, columns: 80 });
      await terminal.ended();
      const text = terminal.output();
      expect(text).toContain(wide.name);
      expect(text.includes("\x1b[")).toBe(NO_COLOR === undefined);
      for (const line of Bun.stripANSI(text).split(/\r?\n/)) {
        // A single word of an address or a command, of whatever server runs here, is not broken.
        if (/^ {2,}\S+$/.test(line)) continue;
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
      }
      // How much of the rest there is room for depends on the other servers of this machine.
      expect(Bun.stripANSI(text)).toContain(`http://${wide.name}.localhost:9090`);
    }
  });

  test("a reader that goes away early is no failure", async () => {
    const child = Bun.spawn(
      ["sh", "-c", '"$@" | true; echo done', "sh", process.execPath, "src/main.ts", "ls", "--json"],
      {
        env: { ...process.env, ...state.env } as Record<string, string>,
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    expect([await child.stdout.text(), await child.stderr.text()]).toEqual(["done\n", ""]);
  });
});

describe("ls --watch", () => {
  test("draws again when servers come and go, and Ctrl-C ends it with 0 and a cursor", async () => {
    await using watching = session(["ls", "--watch"], { env: state.env });
    await watching.until((text) => text.includes(server.name));
    const other = await testServer();
    const before = await watching.until((text) => text.includes(`http://${other.name}.localhost`));
    expect(before).toStartWith("\x1b[?25l");
    await other.end();
    await watching.until((text) => {
      const picture = text.slice(text.lastIndexOf("\x1b[H\x1b[J"));
      return picture.includes(server.name) && !picture.includes(other.name);
    });
    watching.type("\x03");
    expect(await watching.ended()).toBe(0);
    expect(watching.output()).toEndWith("\x1b[?25h");
  });

  test("a terminal that gets narrower gets shorter lines at once", async () => {
    // Wide enough for whatever else runs on this machine.
    await using watching = session(["ls", "--watch"], { env: state.env, columns: 2000 });
    const picture = (text: string) => Bun.stripANSI(text.slice(text.lastIndexOf("\x1b[H\x1b[J")));
    const line = (text: string) => lineOf(picture(text), server.name)?.trimEnd() ?? "";
    await watching.until((text) => line(text).endsWith("server.ts 1"));
    watching.resize(60);
    // A single word of an address or a command, of whatever server runs here, is not broken.
    const isNarrow = (row: string) => Bun.stringWidth(row.trimEnd()) <= 60 || /^ *\S+$/.test(row);
    await watching.until((text) => {
      const rows = picture(text).split(/\r?\n/);
      return rows.every(isNarrow) && rows.some((row) => row.includes(`http://${server.name}.`));
    });
  });

  test("--json prints one array per line, and SIGTERM ends it with 0", async () => {
    await using watching = session(["ls", "--watch", "--json"], {
      env: state.env,
      terminal: false,
    });
    const last = (text: string): { name: string }[] => {
      const lines = text.split("\n");
      return lines.length < 2 ? [] : JSON.parse(lines.at(-2)!);
    };
    const has = (name: string) => (text: string) => last(text).some((row) => row.name === name);
    await watching.until(has(server.name));
    const other = await testServer();
    await watching.until(has(other.name));
    await other.end();
    const output = await watching.until((text) => !has(other.name)(text));
    for (const line of output.trimEnd().split("\n")) expect(JSON.parse(line)).toBeArray();
    watching.signal("SIGTERM");
    expect(await watching.ended()).toBe(0);
  });
});

describe("url and port", () => {
  test("take a name in any case, with .localhost, as a URL, or with a label in front", async () => {
    const { name, port } = server;
    for (const text of [
      name,
      name.toUpperCase(),
      `${name}.localhost`,
      `http://${name}.localhost:1/x`,
    ]) {
      expect(await run(["url", text])).toEqual({
        code: 0,
        out: `http://${name}.localhost:9090\n`,
        err: "",
      });
      expect(await run(["port", text])).toEqual({ code: 0, out: `${port}\n`, err: "" });
    }
    expect((await run(["url", `x.${name}`])).out).toBe(`http://x.${name}.localhost:9090\n`);
    expect((await run(["port", `x.${name}`])).out).toBe(`${port}\n`);
  });

  test("--json prints the row", async () => {
    for (const verb of ["url", "port"]) {
      const { code, out } = await run([verb, server.name, "--json"]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        name: server.name,
        port: server.port,
        pid: server.pid,
      });
    }
  });

  test("an unknown name is a failure that names the nearest", async () => {
    for (const verb of ["url", "port", "open"]) {
      const { code, out, err } = await run([verb, `${server.name}x`]);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain(`no server is named ${server.name}x; did you mean ${server.name}?`);
    }
  });

  test("a name that cannot be an address is a failure that says why", async () => {
    const name = `cli_${crypto.randomUUID().slice(0, 8)}`;
    await using _ = await testServer({ name });
    const { code, err } = await run(["url", name]);
    expect(code).toBe(1);
    expect(err).toContain(`its NAME=${name} is not a usable name`);
    expect(err).toContain(`start it again with: NAME=${name.replace("_", "-")} `);
  });
});

test("pac prints the file for the port", async () => {
  expect(await run(["pac"])).toEqual({
    code: 0,
    out: pacFile({ port: 9090, tlds: [], names: [] }),
    err: "",
  });
  expect((await run(["pac", "--port", "8080"])).out).toBe(
    pacFile({ port: 8080, tlds: [], names: [] }),
  );
  const { out } = await run(["pac", "--port", "8080", "--json"]);
  expect(JSON.parse(out)).toEqual({
    url: "http://localhost:8080/proxy.pac",
    text: pacFile({ port: 8080, tlds: [], names: [] }),
  });
});

describe("open", () => {
  let bin: string;

  beforeAll(async () => {
    bin = await mkdtemp(join(tmpdir(), "localhostess-open-"));
  });

  afterAll(() => rm(bin, { recursive: true, force: true }));

  async function opener(script: string): Promise<void> {
    for (const name of ["open", "xdg-open", "wslview"]) {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bin, name), 0o755);
    }
  }

  test("hands the URL, with its path, to the system's opener as one word", async () => {
    await opener(`echo "$#:$1" > '${bin}/said'`);
    const { code, out } = await run(["open", `${server.name}/a?b=$(id)&c=;d`, "--port", "9090"], {
      PATH: bin,
    });
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(await readFile(join(bin, "said"), "utf8")).toBe(
      `1:http://${server.name}.localhost:9090/a?b=$(id)&c=;d\n`,
    );
    // A scheme that was typed is one that was meant; a page's own URL has another port.
    const secure = await run(["open", `https://${server.name}.localhost:1/a`, "--port", "9090"], {
      PATH: bin,
    });
    expect(secure.code).toBe(0);
    expect(await readFile(join(bin, "said"), "utf8")).toBe(
      `1:https://${server.name}.localhost:9090/a\n`,
    );
  });

  test("an opener that fails, or none at all, is a failure that prints the URL", async () => {
    const url = `http://${server.name}.localhost:9090/\n`;
    await opener("exit 3");
    const failed = await run(["open", server.name, "--port", "9090"], { PATH: bin });
    expect(failed.code).toBe(1);
    expect(failed.err).toContain("failed with 3");
    expect(failed.err).toEndWith(url);
    const missing = await run(["open", server.name, "--port", "9090"], { PATH: "/nonexistent" });
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("could not open a browser: PATH has no ");
    expect(missing.err).toEndWith(url);
  });

  test("the opener is started in /, with a PATH that does not go by the current folder", async () => {
    await opener(`echo "$PWD $PATH" > '${bin}/said'`);
    const PATH = `.::node_modules/.bin:${bin}/node_modules/.bin:${bin}`;
    const { code } = await run(["open", server.name, "--port", "9090"], { PATH });
    expect(code).toBe(0);
    expect(await readFile(join(bin, "said"), "utf8")).toBe(`/ ${bin}\n`);
  });
});

describe("in a stranger's folder that has programs, with a PATH that leads to them", () => {
  for (const words of [
    ["open", "NAME", "--port", "9090"],
    ["browser", "NAME", "--port", "9090"],
    ["ls", "--scanner", "lsof"],
    ["doctor"],
    ["trust", "--root", "ROOT"],
  ]) {
    test(`${words.join(" ")} runs none of them`, async () => {
      const its = await mkdtemp(join(tmpdir(), "localhostess-stranger-"));
      const [folder, marks] = [join(its, "folder"), join(its, "marks")];
      try {
        await mkdir(marks);
        await layTraps(folder, { marks, names: ["programs"] });
        // No way to the system's own: each program that is looked for is looked for in the folder.
        const env = { ...state.env, PATH: hostilePath(folder), HOME: its, TLD: "test" };
        const args = words.map((word) => ({ NAME: server.name, ROOT: its })[word] ?? word);
        await spawned(args, { env, cwd: folder });
        expect(await sprung(marks)).toEqual([]);
      } finally {
        await rm(its, { recursive: true });
      }
    });
  }
});
