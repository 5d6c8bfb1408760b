/** bin/localhostess of a clone: which Bun it finds. launcher-package.test.ts has that of a package. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { apart } from "../../src/system/own-bun.ts";
import { hostilePath, layTraps, sprung } from "../support/traps.ts";
import { ended } from "../support/ended.ts";
import { root } from "./cli.ts";

let directory: string;
let modules: string;
let launcher: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "localhostess-launcher-")));
  modules = join(directory, "node_modules");
  launcher = join(directory, "bin/localhostess");
  await cp(join(root, "bin/localhostess"), launcher);
  // A clone has the source, and its launcher takes a Bun.
  await Bun.write(join(directory, "src/main.ts"), "");
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
  const env = { PATH: path, HOME: directory };
  const { code, out, err } = await ended([program, ...args], { env, cwd });
  return { code, lines: out.trimEnd().split("\n"), err };
}

const platform = "@oven/bun-linux-x64/bin/bun";
const places: [what: string, path: string][] = [
  ["npm install: its install script has run", "node_modules/bun/bin/bun.exe"],
  ["npm install --ignore-scripts: the platform's package", `node_modules/${platform}`],
  ["only a link in .bin", "node_modules/.bin/bun"],
];

for (const [what, path] of places) {
  test(`${what}`, async () => {
    await fakeBun(path);
    expect((await launch()).lines[0]).toBe(path);
  });
}

test("pnpm: a link, and the platform's package beside where it leads", async () => {
  const store = "store/bun@1/node_modules";
  await fakeBun(`${store}/bun/bin/bun.exe`);
  await fakeBun(`${store}/${platform}`);
  await mkdir(modules);
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

describe("of two builds it takes the one that runs", () => {
  const musl = "node_modules/@oven/bun-linux-x64-musl/bin/bun";
  const glibc = `node_modules/${platform}`;

  /** The launcher of a machine that has these loaders of musl. */
  async function machineWith(loaders: readonly string[]): Promise<void> {
    const lib = join(directory, "lib");
    for (const name of loaders) await Bun.write(join(lib, name), "");
    const text = await readFile(launcher, "utf8");
    await writeFile(launcher, text.replace("/lib/ld-musl-*", `${lib}/ld-musl-*`));
  }

  /** As a program is whose loader the system does not have. */
  async function notToRun(path: string): Promise<void> {
    await fakeBun(path);
    await writeFile(join(directory, path), "#!/nonexistent/ld.so.1\n");
  }

  test("without musl, the other one, untried", async () => {
    await machineWith([]);
    await fakeBun(musl);
    await fakeBun("node_modules/@oven/bun-linux-x64-musl-baseline/bin/bun");
    await fakeBun(glibc);
    expect((await launch()).lines[0]).toBe(glibc);
  });

  test("with musl alone, as in Alpine, its build", async () => {
    await machineWith(["ld-musl-x86_64.so.1"]);
    await fakeBun(musl);
    await notToRun(glibc);
    expect((await launch()).lines[0]).toBe(musl);
  });

  test("with both, as Debian has with its package musl, the ordinary one", async () => {
    await machineWith(["ld-musl-x86_64.so.1"]);
    await notToRun(musl);
    await fakeBun(glibc);
    expect((await launch()).lines[0]).toBe(glibc);
  });

  test("the try takes nothing from the folder either", async () => {
    await machineWith(["ld-musl-x86_64.so.1"]);
    await fakeBun(glibc);
    await writeFile(
      join(directory, glibc),
      `#!/bin/sh\necho "$@" >> "${join(directory, "tries")}"\n`,
    );
    await launch();
    const [tried] = (await readFile(join(directory, "tries"), "utf8")).split("\n");
    expect(tried).toBe(`${apart.join(" ")} --revision`);
  });
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
  expect(lines.at(-7)).toBe(join(directory, "src/main.ts"));
});

test("links to it are followed: absolute, relative, and one to another", async () => {
  await fakeBun("node_modules/bun/bin/bun.exe");
  const bin = join(directory, "bin dir");
  await mkdir(bin);
  await symlink(launcher, join(bin, "absolute"));
  await symlink("../bin/localhostess", join(bin, "relative"));
  await symlink("relative", join(bin, "twice"));
  for (const name of ["absolute", "relative", "twice"]) {
    const { code, lines } = await launch([], { program: join(bin, name) });
    expect([code, lines[0]]).toEqual([0, "node_modules/bun/bin/bun.exe"]);
  }
});

test("Bun begins in /, reads nothing of the folder, and the program is told where the person is", async () => {
  await fakeBun("node_modules/.bin/bun");
  await writeFile(
    join(directory, "node_modules/.bin/bun"),
    `#!/bin/sh\nfor word in "$@" "$LOCALHOSTESS_CWD" "$PWD"; do echo "$word"; done\n`,
  );
  const cwd = join(directory, "a folder");
  await mkdir(cwd);
  const main = join(directory, "src/main.ts");
  // The words of every other start of Bun.
  expect((await launch(["ls"], { cwd })).lines).toEqual([...apart, main, "ls", cwd, cwd]);
});

test("packages beside a clone are not its own", async () => {
  const clone = join(directory, "node_modules/localhostess");
  await cp(launcher, join(clone, "bin/localhostess"));
  await Bun.write(join(clone, "src/main.ts"), "");
  await fakeBun("node_modules/bun/bin/bun.exe");
  await fakeBun("node_modules/.bin/bun");
  await fakeBun(`node_modules/${platform}`);
  const program = join(clone, "bin/localhostess");
  expect((await launch([], { program })).err).toContain("there is no Bun");
  const own = "node_modules/localhostess/node_modules/bun/bin/bun.exe";
  await fakeBun(own);
  expect((await launch([], { program })).lines[0]).toBe(own);
});

describe("in a stranger's folder", () => {
  let folder: string;
  let marks: string;

  beforeEach(async () => {
    [folder, marks] = [join(directory, "stranger"), join(directory, "marks")];
    await mkdir(marks);
    await layTraps(folder, { marks, names: ["programs"] });
  });

  /** @returns what it said. */
  async function nothingRuns(path: string, program = launcher): Promise<string> {
    const { err, lines } = await launch(["--version"], { path, program, cwd: folder });
    expect(await sprung(marks)).toEqual([]);
    return `${err}${lines[0]}`;
  }

  for (const entry of [".", "", "bin", "./bin", "../stranger/bin", "node_modules/.bin"]) {
    test(`a Bun by "${entry}" in PATH is not run`, async () => {
      const all = [`${entry}:`, `:${entry}`, `${entry}:/nonexistent`, `/nonexistent::${entry}`];
      for (const path of all) expect(await nothingRuns(path)).toContain("there is no Bun");
      // Any program of PATH that the launcher itself needs.
      await symlink(launcher, join(directory, "link"));
      await nothingRuns(`${entry}:/nonexistent`, join(directory, "link"));
    });
  }

  test("nor is one that npm run or npx put in front, and the one behind is", async () => {
    await fakeBun("path/bun");
    const path = `${folder}/node_modules/.bin:${folder}/node_modules/.bin/:${directory}/path`;
    expect(await nothingRuns(path)).toBe("path/bun");
    await symlink(launcher, join(directory, "link"));
    expect(
      await nothingRuns(`${hostilePath(folder)}:${directory}/path`, join(directory, "link")),
    ).toBe("path/bun");
  });

  test("a shell that looks it up by its name finds the one in PATH, and not the folder's packages", async () => {
    const bin = join(directory, "links");
    await mkdir(bin);
    await symlink(launcher, join(bin, "localhostess"));
    await fakeBun("node_modules/bun/bin/bun.exe");
    const cwd = join(folder, "node_modules/sub");
    await mkdir(cwd);
    await fakeBun("stranger/node_modules/bun/bin/bun.exe");
    const bash = spawnIn(cwd, ["/bin/bash", "localhostess"], `${hostilePath(folder)}:${bin}`);
    expect(await bash).toBe("node_modules/bun/bin/bun.exe");
    expect(await sprung(marks)).toEqual([]);
  });

  test("CDPATH leads nowhere", async () => {
    await fakeBun("node_modules/bun/bin/bun.exe");
    await mkdir(join(folder, "bin"), { recursive: true });
    const words = ["/bin/sh", "bin/localhostess"];
    const its = spawnIn(directory, words, "/nonexistent", { CDPATH: folder });
    expect(await its).toBe("node_modules/bun/bin/bun.exe");
  });
});

/** @returns the first line that it prints. */
async function spawnIn(
  cwd: string,
  words: string[],
  PATH: string,
  env: Record<string, string> = {},
): Promise<string> {
  const child = Bun.spawn(words, { cwd, env: { PATH, ...env }, stdout: "pipe", stderr: "inherit" });
  return (await child.stdout.text()).split("\n")[0]!;
}

describe("the real one", () => {
  const program = join(root, "bin/localhostess");

  test("is where the person is: in a folder with odd letters, by a link, and in one that is gone", async () => {
    const odd = join(directory, "a 'folder' -n $(x)\n*");
    await mkdir(odd);
    await writeFile(join(odd, "locald.toml"), '[services.web]\ncommand = "true"\n');
    await symlink(odd, join(directory, "by-link"));
    for (const cwd of [odd, join(directory, "by-link")]) {
      const { code, lines } = await launch(["__complete", "--", "up", ""], { program, cwd });
      expect({ code, lines }).toEqual({ code: 0, lines: ["web\ttrue", ":dirs"] });
    }
    const gone = join(directory, "gone");
    await mkdir(gone);
    const script = `rmdir "${gone}"; exec "${program}" --version`;
    const { lines } = await launch(["-c", script], { program: "/bin/sh", cwd: gone });
    expect(lines).toEqual([version]);
  });
});
