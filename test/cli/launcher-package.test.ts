/** bin/localhostess of a package: which platform's package it finds, wherever an installer put it. */
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
import { apart } from "../../src/system/own-bun.ts";
import { ended } from "../support/ended.ts";
import { hostilePath, layTraps, sprung } from "../support/traps.ts";
import { root } from "./cli.ts";

let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "localhostess-launcher-")));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

type Machine = {
  /** What `uname -sm` says. */
  system?: string;
  /** Paths of loaders that it has. */
  loaders?: readonly string[];
};

/** The launcher of a package in that folder, on such a machine. */
async function launcherIn(
  folder: string,
  { system = "Linux x86_64", loaders = [] }: Machine = {},
): Promise<string> {
  const program = join(directory, folder, "bin/localhostess");
  const text = await readFile(join(root, "bin/localhostess"), "utf8");
  for (const loader of loaders) await Bun.write(join(directory, "root", loader), "");
  await mkdir(dirname(program), { recursive: true });
  await writeFile(
    program,
    text
      .replaceAll(/ (\/lib(?:64)?\/ld-)/g, ` ${directory}/root$1`)
      .replace(/\$\(PATH=\S* uname -sm\)/, `"${system}"`),
  );
  await chmod(program, 0o755);
  return program;
}

/** A program that says where it stands, and what it was given. */
async function fakeProgram(folder: string, id: string, text?: string): Promise<void> {
  const file = join(directory, folder, `@localhostess/${id}/bin/localhostess`);
  await mkdir(dirname(file), { recursive: true });
  const own = `#!/bin/sh\necho "${folder}/${id}"\nfor word in "$@"; do echo "$word"; done\n`;
  await writeFile(file, text ?? own);
  await chmod(file, 0o755);
}

async function launch(
  program: string,
  args: readonly string[] = [],
  cwd = directory,
  path = "/none",
) {
  const env = { PATH: path, HOME: directory };
  const { code, out, err } = await ended([program, ...args], { env, cwd });
  return { code, lines: out.trimEnd().split("\n"), err };
}

/** The first line of what it said. */
async function first(program: string): Promise<string> {
  const { lines, err } = await launch(program);
  return `${lines[0]}${err}`;
}

const places: [what: string, own: string, other: string][] = [
  ["npm and bun: beside it", "node_modules/localhostess", "node_modules"],
  ["npm install -g: in its own folder", "lib/localhostess", "lib/localhostess/node_modules"],
  [
    "pnpm: beside it in the store",
    ".pnpm/localhostess@0.1.0/node_modules/localhostess",
    ".pnpm/localhostess@0.1.0/node_modules",
  ],
  [
    "Yarn's Plug'n'Play: each in a folder of its own",
    ".yarn/unplugged/localhostess-npm-0.1.0-1a2b/node_modules/localhostess",
    ".yarn/unplugged/@localhostess-linux-x64-npm-0.1.0-3c4d/node_modules",
  ],
];

for (const [what, own, other] of places) {
  test(`${what}`, async () => {
    const program = await launcherIn(own);
    await fakeProgram(other, "linux-x64");
    const args = ["url", "two words", "", "$(id)", "--port", "80"];
    const { lines } = await launch(program, args);
    expect(lines).toEqual([`${other}/linux-x64`, ...args]);
    // The links that installers make.
    await symlink(program, join(directory, "link"));
    expect(await first(join(directory, "link"))).toBe(`${other}/linux-x64`);
  });
}

test("of two versions that Yarn has unpacked, its own", async () => {
  const at = (version: string) =>
    `.yarn/unplugged/@localhostess-linux-x64-npm-${version}-3c4d/node_modules`;
  const program = await launcherIn(
    ".yarn/unplugged/localhostess-npm-0.2.0-1a2b/node_modules/localhostess",
  );
  for (const version of ["0.1.0", "0.2.0", "0.3.0"]) await fakeProgram(at(version), "linux-x64");
  expect(await first(program)).toBe(`${at("0.2.0")}/linux-x64`);
});

describe("the package for the machine is taken", () => {
  const own = "node_modules/localhostess";
  const all = ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"];
  const glibc = "lib64/ld-linux-x86-64.so.2";
  const musl = "lib/ld-musl-x86_64.so.1";
  const notToRun = "#!/nonexistent/ld.so.1\n";
  const machines: [what: string, machine: Machine, taken: string][] = [
    ["x64 with glibc", { loaders: [glibc] }, "linux-x64"],
    ["arm64 with glibc", { system: "Linux aarch64" }, "linux-arm64"],
    ["Alpine", { loaders: [musl] }, "linux-x64-musl"],
    [
      "Alpine on arm64",
      { system: "Linux aarch64", loaders: ["lib/ld-musl-aarch64.so.1"] },
      "linux-arm64-musl",
    ],
    ["Debian with its package musl", { loaders: [glibc, musl] }, "linux-x64"],
    ["an Apple processor", { system: "Darwin arm64" }, "darwin-arm64"],
    ["a Mac of Intel", { system: "Darwin x86_64" }, "darwin-x64"],
  ];
  for (const [what, machine, taken] of machines) {
    test(what, async () => {
      const program = await launcherIn(own, machine);
      for (const id of [...all, "darwin-x64", "darwin-arm64"]) {
        await fakeProgram("node_modules", id);
      }
      expect(await first(program)).toBe(`node_modules/${taken}`);
    });
  }

  test("the other one, where the likelier one does not begin: Alpine with gcompat", async () => {
    const program = await launcherIn(own, { loaders: [glibc, musl] });
    await fakeProgram("node_modules", "linux-x64", notToRun);
    await fakeProgram("node_modules", "linux-x64-musl");
    expect(await first(program)).toBe("node_modules/linux-x64-musl");
  });

  test("the one for Intel on an Apple processor, where an Intel Node installed it", async () => {
    const program = await launcherIn(own, { system: "Darwin arm64" });
    await fakeProgram("node_modules", "darwin-x64");
    expect(await first(program)).toBe("node_modules/darwin-x64");
  });

  test("one alone is not tried before, and a try takes nothing from the folder", async () => {
    const program = await launcherIn(own, { loaders: [glibc, musl] });
    const tries = join(directory, "tries");
    await fakeProgram("node_modules", "linux-x64", `#!/bin/sh\necho "$BUN_BE_BUN $@" >>${tries}\n`);
    await launch(program, ["ls"]);
    expect(await readFile(tries, "utf8")).toBe(" ls\n");
    await fakeProgram("node_modules", "linux-x64-musl");
    await launch(program, ["ls"]);
    expect(await readFile(tries, "utf8")).toBe(` ls\n1 ${apart.join(" ")} --revision\n ls\n`);
  });
});

describe("where there is none, it says what helps", () => {
  test("the package was left out", async () => {
    const program = await launcherIn("node_modules/localhostess");
    const { code, err } = await launch(program);
    expect(code).toBe(1);
    expect(err).toContain("@localhostess/linux-x64, which has the program, was not installed");
    for (const word of ["--omit=optional", "package-lock.json"]) expect(err).toContain(word);
  });

  test("node_modules is another system's", async () => {
    const program = await launcherIn("node_modules/localhostess");
    await fakeProgram("node_modules", "darwin-arm64");
    const { code, err } = await launch(program);
    expect(code).toBe(1);
    expect(err).toContain(
      "has @localhostess/darwin-arm64, and this system needs @localhostess/linux-x64",
    );
  });

  test("there is no package for the system", async () => {
    const program = await launcherIn("node_modules/localhostess", { system: "FreeBSD amd64" });
    const { code, err } = await launch(program);
    expect(code).toBe(1);
    expect(err).toContain("there is no program for FreeBSD amd64");
  });
});

test("in a stranger's folder, nothing of it runs", async () => {
  const [folder, marks] = [join(directory, "stranger"), join(directory, "marks")];
  await mkdir(marks);
  await layTraps(folder, { marks, names: ["programs"] });
  for (const place of ["", "bin/", "node_modules/.bin/"]) {
    await cp(join(folder, "bun"), join(folder, `${place}uname`));
  }
  await fakeProgram("stranger/node_modules", "linux-x64", `#!/bin/sh\n: >${marks}/program\n`);
  // With the true uname: the machine's own package, whatever it is.
  const program = join(directory, "node_modules/localhostess/bin/localhostess");
  await cp(join(root, "bin/localhostess"), program);
  for (const id of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]) {
    await fakeProgram("node_modules", id);
  }
  const { lines } = await launch(program, ["ls"], folder, `${hostilePath(folder)}:/usr/bin:/bin`);
  expect(await sprung(marks)).toEqual([]);
  expect(lines[1]).toBe("ls");
});
