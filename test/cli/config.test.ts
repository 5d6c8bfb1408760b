/** `config.toml`, with the real program: where it is looked for, what beats it, and what is said of its mistakes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pacFile } from "../../pac/proxy.pac.ts";
import { cli, type Ended, type Env, freshState, type State } from "./cli.ts";

let state: State;
let path: string;

beforeEach(async () => {
  state = await freshState();
  path = join(state.directory, "my config.toml");
});

afterEach(() => state[Symbol.asyncDispose]());

/** Runs with this file. */
async function withConfig(text: string, args: readonly string[], env: Env = {}): Promise<Ended> {
  await writeFile(path, text);
  return await cli(args, { env: { ...state.env, LOCALHOSTESS_CONFIG: path, ...env } });
}

const pacOf = (port: number, ...tlds: string[]): string => pacFile({ port, tlds, names: [] });

test("a flag beats a variable, a variable beats the file, and the file beats the default", async () => {
  const text = "port = 7001\n";
  expect((await withConfig("", ["pac"])).out).toBe(pacOf(9090));
  expect((await withConfig(text, ["pac"])).out).toBe(pacOf(7001));
  const variable = { LOCALHOSTESS_PORT: "7002" };
  expect((await withConfig(text, ["pac"], variable)).out).toBe(pacOf(7002));
  expect((await withConfig(text, ["pac", "--port", "7003"], variable)).out).toBe(pacOf(7003));
});

test("it is looked for where the system has such files", async () => {
  const home = join(state.directory, "home");
  const places: [path: string, env: Env][] = [
    [join(home, ".config/localhostess/config.toml"), { XDG_CONFIG_HOME: undefined }],
    [join(home, "xdg/localhostess/config.toml"), { XDG_CONFIG_HOME: join(home, "xdg") }],
  ];
  for (const [index, [place, env]] of places.entries()) {
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, `port = ${7000 + index}\ntlds = ["Test"]\n`);
    const all = { ...state.env, HOME: home, LOCALHOSTESS_CONFIG: undefined, ...env };
    expect((await cli(["pac"], { env: all })).out).toBe(pacOf(7000 + index, "test"));
  }
});

test("without a file everything is as it was", async () => {
  for (const place of [
    join(state.directory, "none.toml"),
    join(state.directory, "a/b/none.toml"),
  ]) {
    const { code, out } = await cli(["pac"], {
      env: { ...state.env, LOCALHOSTESS_CONFIG: place },
    });
    expect({ code, out }).toEqual({ code: 0, out: pacOf(9090) });
  }
});

test("every error is reported with its line, together with those of flags and variables, and ends with 2", async () => {
  const text = 'tld = ["test"]\n\ntlds = ["localhost"]\nport = "high"\n';
  for (const verb of [
    ["ls"],
    ["pac"],
    ["why", "api"],
    ["server", "start"],
    ["trust", "--status"],
  ]) {
    const { code, out, err } = await withConfig(text, verb, { LOCALHOSTESS_PORT: "x" });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err.split("\n")).toEqual([
      `localhostess: ${path}:1 tld: unknown key; did you mean "tlds"?`,
      `localhostess: ${path}:3 tlds[0]: "localhost" is always served; remove it`,
      `localhostess: ${path}:4 port: expected a number from 0 to 65535, got "high"`,
      'localhostess: LOCALHOSTESS_PORT: expected a number from 0 to 65535, got "x"',
      "",
    ]);
  }
});

test("doctor reports the errors among its findings, and untrust does without the file", async () => {
  const { code, out } = await withConfig("port = 1\nprot = 2\n", [
    "doctor",
    "--json",
    "--root",
    state.directory,
  ]);
  expect(code).toBe(1);
  expect(JSON.parse(out)[0]).toEqual({
    check: "configuration",
    level: "broken",
    detail: `${path}:2 prot: unknown key; did you mean "port"?`,
    fix: null,
  });
  const home = { HOME: state.directory };
  const removed = await withConfig("broken", ["untrust", "--root", state.directory], home);
  expect(removed).toMatchObject({
    code: 0,
    err: expect.stringContaining("there is no certificate authority"),
  });
});

test("what is no file of a person's size is not read", async () => {
  const failing: [place: string, why: string][] = [
    [state.directory, "it is a folder, not a file"],
    ["/dev/zero", "it is a device, not a file"],
  ];
  await writeFile(path, "#".repeat(1_100_000));
  failing.push([path, "it is larger than 1024 KiB"]);
  if (process.getuid?.() !== 0) {
    const closed = join(state.directory, "closed.toml");
    await writeFile(closed, "");
    await chmod(closed, 0);
    failing.push([closed, "it is not yours to read"]);
  }
  for (const [place, why] of failing) {
    const { code, err } = await cli(["ls"], {
      env: { ...state.env, LOCALHOSTESS_CONFIG: place },
    });
    expect(code).toBe(2);
    expect(err).toContain(`localhostess: ${place} cannot be read: ${why}`);
  }
});

test("another file has to be named from the root", async () => {
  const { code, err } = await cli(["ls"], {
    env: { ...state.env, LOCALHOSTESS_CONFIG: "my.toml" },
  });
  expect(code).toBe(2);
  expect(err).toContain(
    'LOCALHOSTESS_CONFIG=my.toml is not an absolute path; try LOCALHOSTESS_CONFIG="$PWD/my.toml"',
  );
});

test("--tld is checked as the file is", async () => {
  const { code, err } = await cli(["server", "start", "--tld", "com", "--tld", ".test"], {
    env: state.env,
  });
  expect(code).toBe(2);
  expect(err).toContain('localhostess: --tld: "com" is a public domain');
  expect(err).toContain('localhostess: --tld: ".test" has an extra dot; did you mean "test"?');
});
