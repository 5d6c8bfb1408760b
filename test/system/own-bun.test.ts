/** Starts of Bun and of other programs: each goes the one way that takes nothing from the folder a person stands in. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Glob } from "bun";
import { apart, ownBun, ownProgram } from "../../src/system/own-bun.ts";
import {
  hostilePath,
  layTraps,
  mappings,
  sprung,
  type TrapName,
  trapNames,
} from "../support/traps.ts";

const root = resolve(import.meta.dir, "../..");

let directory: string;
let folder: string;
let marks: string;
let entry: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "localhostess-own-bun-")));
  folder = join(directory, "above/folder");
  marks = join(directory, "marks");
  entry = join(directory, "program/src/main.ts");
  for (const path of [join(folder, "sub"), marks, dirname(entry)]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(
    entry,
    'import pc from "picocolors";\nconsole.log("ours", pc, process.env.LOCALHOSTESS_PORT);\n',
  );
  const library = join(directory, "program/node_modules/picocolors");
  await Bun.write(join(library, "package.json"), '{ "name": "picocolors" }');
  await Bun.write(join(library, "index.js"), 'module.exports = "library";\n');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

type Said = { out: string; err: string; marks: string[] };

async function run(
  words: readonly string[],
  { cwd = folder, PATH = "/usr/bin:/bin" } = {},
): Promise<Said> {
  const child = Bun.spawn([...words], {
    cwd,
    env: { PATH, HOME: directory },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return { out, err, marks: await sprung(marks) };
}

const lay = (names: readonly TrapName[]) => layTraps(folder, { marks, entries: [entry], names });
const plain = (...words: string[]) => [process.execPath, ...words];

describe("each trap is one", () => {
  for (const name of [...mappings, "bunfig"] as const) {
    test(`${name}: Bun started in the folder runs it`, async () => {
      await lay([name]);
      expect((await run(plain(entry))).marks).toEqual([name]);
    });
  }

  test("tsconfig, of a folder above too", async () => {
    await lay(["tsconfig paths"]);
    expect((await run(plain(entry), { cwd: join(folder, "sub") })).marks).toEqual([
      "tsconfig paths",
    ]);
  });

  test(".env: Bun has its variables, though for its own options they come too late", async () => {
    await lay([".env"]);
    expect(await run(plain(entry))).toMatchObject({ out: "ours library not-a-port\n", marks: [] });
  });

  test("package.json: where one above is broken, Bun prints it; no field of it runs anything", async () => {
    await lay(["broken package.json"]);
    expect((await run(plain(entry))).err).toContain("broken");
    await rm(join(folder, "../package.json"));
    await lay(["package.json"]);
    expect(await run(plain(entry))).toEqual({
      out: "ours library undefined\n",
      err: "",
      marks: [],
    });
  });

  test("node_modules: its packages run where something in the folder imports them", async () => {
    await lay(["node_modules"]);
    expect((await run(plain(entry))).marks).toEqual([]);
    expect((await run(plain("-e", 'require("commander")'))).marks).toEqual(["node_modules"]);
  });

  test("programs: a shell with such a PATH runs them", async () => {
    await lay(["programs"]);
    const PATH = `${hostilePath(folder)}:/usr/bin:/bin`;
    expect((await run(["/bin/sh", "-c", "id"], { PATH })).marks).toEqual(["id"]);
  });
});

describe("a Bun of ours runs none of them, and prints nothing of them", () => {
  const rest = trapNames.filter((name) => !mappings.some((other) => other === name));
  const ours = { out: "ours library undefined\n", marks: [] };
  for (const mapping of mappings) {
    for (const cwd of [".", "sub"]) {
      test(`${mapping}, started in ${cwd}`, async () => {
        await lay([mapping, ...rest]);
        const from = { cwd: join(folder, cwd) };
        expect(await run(ownBun([entry]), from)).toEqual({ ...ours, err: "" });
        // Each layer by itself: a working directory of ours, and words that name each file.
        expect(await run(plain("--cwd=/", entry), from)).toEqual({ ...ours, err: "" });
        const words = apart.filter((word) => word !== "--cwd=/");
        expect(await run(plain(...words, entry), from)).toMatchObject(ours);
      });
    }
  }

  test("where a library of ours is missing, none is fetched and none of the folder is taken", async () => {
    await lay(["node_modules"]);
    await rm(join(directory, "program/node_modules"), { recursive: true });
    const words = apart.filter((word) => word !== "--cwd=/");
    for (const command of [ownBun([entry]), plain(...words, entry)]) {
      const { out, err, marks } = await run(command);
      expect({ out, marks }).toEqual({ out: "", marks: [] });
      expect(err).toContain("Cannot find package 'picocolors'");
    }
  });
});

test("this program, once more, is started so", () => {
  expect(ownProgram(["ls"])).toEqual(ownBun([Bun.main, "ls"]));
});

test("bin/localhostess has the same words", async () => {
  const text = await readFile(join(root, "bin/localhostess"), "utf8");
  expect(text).toContain(`\napart="${apart.join(" ")}"\n`);
  expect(text).toContain('\nexec "$bun" $apart "$package/src/main.ts" "$@"\n');
});

describe("in src/", () => {
  /** Files that have the text. */
  function having(text: RegExp): string[] {
    return [...new Glob("src/**/*.{ts,tsx}").scanSync(root)]
      .filter((file) => text.test(readSource(file)))
      .sort();
  }

  test("one file knows where our Bun and our program are", () => {
    expect(having(/\bexecPath\b|\bBun\.main\b|process\.argv0|process\.argv\[0\]/)).toEqual([
      "src/system/own-bun.ts",
    ]);
  });

  test("one looks programs up; those that a person names are looked for as their shell does", () => {
    expect(having(/\bBun\.which\b/)).toEqual([
      "src/cli/projects/child.ts",
      "src/system/search-path.ts",
      "src/system/shell-program.ts",
    ]);
  });

  test("processes are started in few places, and none of them bundles", () => {
    expect(having(/\bBun\.build\b|\bBun\.Transpiler\b/)).toEqual([]);
    expect(having(/\bBun\.spawn(Sync)?\b|\bchild_process\b|\bBun\.\$|\bnew Worker\b/)).toEqual([
      // Buildpacks that the person has named, in the app's folder, and git by an absolute path, in /.
      "src/build/buildpacks/run-script.ts",
      // What the person asked for, in their folder.
      "src/cli/projects/child.ts",
      // Git, in / and by an absolute path, for the verbs that change worktrees.
      "src/cli/projects/git.ts",
      // What the person has agreed to: sudo or root's own shell, and package managers, found by search-path.ts.
      "src/cli/shared/at-terminal.ts",
      // Openers, in / and by an absolute path.
      "src/cli/shared/show.ts",
      // A browser that the person asked for.
      "src/cli/trust/browser.ts",
      // The daemon, in / by own-bun.ts.
      "src/control/found/spawn.ts",
      // One call of a plugin, by our own program, in /.
      "src/plugins/bounded-child.ts",
      // The system's ssh, for machines that the person has named.
      "src/remote/session.ts",
      // A managed store's own programs, by absolute paths, in the process of its service.
      "src/stores/postgres/data.ts",
      "src/stores/postgres/declared.ts",
      "src/stores/postgres/password.ts",
      "src/stores/postgres/server.ts",
      "src/stores/servers/first-mongo-user.ts",
      // Services.
      "src/supervisor/service/child.ts",
      "src/system/command.ts",
      // macOS' own /bin/ps.
      "src/system/terminal-flow.ts",
    ]);
  });
});

/** Without comments. */
function readSource(file: string): string {
  const text = readFileSync(join(root, file), "utf8");
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
}
