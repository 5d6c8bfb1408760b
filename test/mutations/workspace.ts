/** The tree -> a copy of it in which faults are planted, one at a time, and tests are run. */
import { chmod, cp, mkdir, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Fault, planted } from "./fault.ts";

export type Run = {
  kind: "passed" | "failed" | "hung";
  /** At least one test failed by its name: the files could be loaded. */
  named: boolean;
  seconds: number;
  output: string;
};

export type Tests = Pick<Fault, "tests" | "only">;

export interface Workspace {
  /** Runs test files, as they stand. `limit` in seconds: a run that takes longer is ended. */
  run(tests: Tests, limit: number): Promise<Run>;
  /** Plants the fault, or says why it cannot be. `mend` puts the file back. */
  plant(fault: Fault): Promise<{ kind: "planted"; mend(): Promise<void> } | Stale>;
  /** Ends what runs; nothing runs from then on. Twice is harmless. */
  end(): Promise<void>;
}

type Stale = { kind: "stale"; why: string };

/** Left out: other people's code, which is linked, the history, and what is built. */
const leftOut = ["node_modules", ".git", "dist"];

/** `place`: an empty folder with a short path, as sockets are made below it. @throws Error of the file system. */
export async function workspace(root: string, place: string): Promise<Workspace> {
  const tree = join(place, "tree");
  const temporary = join(place, "t");
  await mkdir(temporary);
  // Some tests have another user look there.
  await chmod(place, 0o755);
  await chmod(temporary, 0o1777);
  await cp(root, tree, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === root || !(isTop(path, root) && leftOut.includes(basename(path))),
  });
  await symlink(await realpath(join(root, "node_modules")), join(tree, "node_modules"));
  await cp(join(root, "dist/page.js"), join(tree, "dist/page.js")).catch((error) => {
    // Nobody has built it yet; tests that need it build it.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  });

  let over = false;
  const original = (file: string) => readFile(join(root, file), "utf8");
  return {
    async run({ tests, only }, limit) {
      if (over) return { kind: "failed", named: false, seconds: 0, output: "it was ended" };
      const files = tests.map((file) => `./${file}`);
      const named = only === undefined ? [] : ["-t", only];
      const began = performance.now();
      const child = Bun.spawn([process.execPath, "test", "--bail", ...files, ...named], {
        cwd: tree,
        env: { ...process.env, TMPDIR: temporary, NO_COLOR: "1" },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        // Ctrl-C is for us, who put things in order first.
        detached: true,
      });
      let hung = false;
      const timer = setTimeout(() => {
        hung = true;
        child.kill("SIGKILL");
      }, limit * 1_000);
      const exit = child.exited.then(async (code) => {
        clearTimeout(timer);
        // Servers that its tests had no time to end hold its output open.
        await endAll(temporary);
        return code;
      });
      const [code, out, err] = await Promise.all([exit, child.stdout.text(), child.stderr.text()]);
      for (const left of await readdir(temporary).catch(() => [])) {
        await rm(join(temporary, left), { recursive: true, force: true });
      }
      const output = out + err;
      return {
        kind: hung ? "hung" : code === 0 ? "passed" : "failed",
        named: /^\(fail\) /m.test(output),
        seconds: (performance.now() - began) / 1_000,
        output,
      };
    },

    async plant(fault) {
      const text = await original(fault.file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      if (text === undefined) return { kind: "stale", why: "there is no such file" };
      const made = planted(text, fault);
      if (made.kind === "stale") return made;
      const path = join(tree, fault.file);
      await Bun.write(path, made.text);
      return { kind: "planted", mend: async () => void (await Bun.write(path, text)) };
    },

    end() {
      over = true;
      return endAll(temporary);
    },
  };
}

function isTop(path: string, root: string): boolean {
  return join(root, basename(path)) === path;
}

/** Ends the processes that were told to keep temporary files in this folder, and so were started from a run of ours. */
async function endAll(temporary: string): Promise<void> {
  for (const pid of await startedWith(temporary)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** By their environment, which all that a test starts inherits, or by a path below it in their command line. */
async function startedWith(temporary: string): Promise<number[]> {
  const variable = `TMPDIR=${temporary}`;
  if (process.platform === "linux") {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const texts = await Promise.all(
      pids.map(async (pid) => {
        const [environ, words] = await Promise.all(
          ["environ", "cmdline"].map((name) =>
            readFile(join("/proc", pid, name), "latin1").catch(() => {
              // Another user's, or gone by now.
              return "";
            }),
          ),
        );
        return environ!.split("\0").includes(variable) || words!.includes(`${temporary}/`);
      }),
    );
    return pids.filter((_, index) => texts[index]).map(Number);
  }
  const listed = await Bun.$`ps -E -ww -axo pid=,command=`.quiet().nothrow().text();
  return listed
    .split("\n")
    .filter((line) => line.includes(variable) || line.includes(`${temporary}/`))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid > 1 && pid !== process.pid);
}
