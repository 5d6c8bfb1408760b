/** bin/localhostess: which Bun it finds, wherever an installer put it. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { root } from "./cli.ts";

let directory: string;
let modules: string;
let launcher: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-launcher-"));
  modules = join(directory, "node_modules");
  launcher = join(modules, "localhostess/bin/localhostess");
  await cp(join(root, "bin/localhostess"), launcher);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** A program that says where it stands and what it was given. */
async function fakeBun(path: string): Promise<void> {
  const file = join(directory, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "${path}"\nfor word in "$@"; do echo "$word"; done\n`);
  await chmod(file, 0o755);
}

async function launch(
  args: string[] = [],
  { program = launcher, path = "/nonexistent", cwd = directory } = {},
): Promise<{ code: number; lines: string[]; err: string }> {
  const child = Bun.spawn([program, ...args], {
    env: { PATH: path, HOME: directory },
    cwd,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { code, lines: out.trimEnd().split("\n"), err };
}

const platform = "@oven/bun-linux-x64/bin/bun";
const nested = "node_modules/localhostess/node_modules";

const places: [what: string, path: string][] = [
  ["npm install -g: nested, install script has run", `${nested}/bun/bin/bun.exe`],
  ["npm install -g --ignore-scripts: nested, the platform's package", `${nested}/${platform}`],
  ["bun install -g: hoisted", "node_modules/bun/bin/bun.exe"],
  ["hoisted, the platform's package", `node_modules/${platform}`],
  ["only a link in .bin", "node_modules/.bin/bun"],
];

for (const [what, path] of places) {
  test(`${what}`, async () => {
    await fakeBun(path);
    expect((await launch()).lines[0]).toBe(path);
  });
}

test("pnpm: a link beside us, and the platform's package beside where it leads", async () => {
  const store = "store/bun@1/node_modules";
  await fakeBun(`${store}/bun/bin/bun.exe`);
  await fakeBun(`${store}/${platform}`);
  await symlink(join(directory, store, "bun"), join(modules, "bun"));
  expect((await launch()).lines[0]).toBe(`${store}/${platform}`);
});

test("the platform's package beats the placeholder, and both beat PATH", async () => {
  await fakeBun("path/bun");
  const path = join(directory, "path");
  expect((await launch([], { path })).lines[0]).toBe("path/bun");
  await fakeBun("node_modules/bun/bin/bun.exe");
  expect((await launch([], { path })).lines[0]).toBe("node_modules/bun/bin/bun.exe");
  await fakeBun(`node_modules/${platform}`);
  expect((await launch([], { path })).lines[0]).toBe(`node_modules/${platform}`);
});

test("of two builds it takes the one for this machine's C library", async () => {
  await fakeBun(`node_modules/${platform}`);
  await fakeBun("node_modules/@oven/bun-linux-x64-musl/bin/bun");
  const musl = [...new Bun.Glob("ld-musl-*").scanSync("/lib")].length > 0;
  expect((await launch()).lines[0]).toBe(
    musl ? "node_modules/@oven/bun-linux-x64-musl/bin/bun" : `node_modules/${platform}`,
  );
});

test("without any it says what to do, and fails", async () => {
  const { code, err } = await launch();
  expect(code).toBe(1);
  expect(err).toContain("there is no Bun");
  expect(err).toContain("https://bun.com");
});

test("arguments reach the program as they are", async () => {
  await fakeBun("node_modules/.bin/bun");
  const { lines } = await launch(["url", "two words", "", "$(id)", "--port", "80"]);
  expect(lines.slice(-6)).toEqual(["url", "two words", "", "$(id)", "--port", "80"]);
  expect(lines.at(-7)).toEndWith("/localhostess/bin/../src/main.ts");
});

test("links to it are followed: absolute, relative, and one to another", async () => {
  await fakeBun("node_modules/bun/bin/bun.exe");
  const bin = join(directory, "bin dir");
  await mkdir(bin);
  await symlink(launcher, join(bin, "absolute"));
  await symlink("../node_modules/localhostess/bin/localhostess", join(bin, "relative"));
  await symlink("relative", join(bin, "twice"));
  for (const name of ["absolute", "relative", "twice"]) {
    const { code, lines } = await launch([], { program: join(bin, name) });
    expect([code, lines[0]]).toEqual([0, "node_modules/bun/bin/bun.exe"]);
  }
});

describe("the real one", () => {
  test("is not changed by the folder that it is started in", async () => {
    await writeFile(join(directory, ".env"), "LOCALHOSTESS_PORT=not-a-port\n");
    await writeFile(join(directory, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    await writeFile(join(directory, "preload.ts"), 'console.log("preloaded");\n');
    const paths = { baseUrl: ".", paths: { commander: ["./preload.ts"] } };
    await writeFile(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions: paths }));
    const program = join(root, "bin/localhostess");
    expect(await launch(["--version"], { program })).toEqual({
      code: 0,
      lines: [version],
      err: "",
    });
    expect((await launch(["pac"], { program })).code).toBe(0);
  });
});
