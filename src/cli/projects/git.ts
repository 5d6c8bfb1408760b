/** Words for git, and a folder -> what it printed; for the verbs that change worktrees, which git does. */
import { byteExact } from "../../system/byte-text.ts";
import { searchPath, whereIs } from "../../system/search-path.ts";
import { printable } from "../../text/printable.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import type { World } from "../shared/world.ts";

export type Told = { code: number; out: string; err: string };

/** Variables by which a hook, or a person, points git to one repository: the folder says which is meant. */
const pointers = [
  ...["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"],
  ...["GIT_NAMESPACE", "GIT_PREFIX", "GIT_ALTERNATE_OBJECT_DIRECTORIES"],
];

export type Git = (...words: string[]) => Promise<Told>;

/**
 * Git in a folder, with the person's own configuration. A signal that comes to us is passed on, and git undoes what it
 * has begun. @throws Failure where there is no git, or a signal has ended it.
 */
export function gitIn(folder: string, world: World): Git {
  const env = definedOf(world.env);
  for (const name of pointers) delete env[name];
  const program = whereIs("git", env.PATH);
  return async (...words) => {
    if (program === undefined) {
      throw new Failure("unsupported", "git was not found in PATH; install it, and try again");
    }
    const argv = [program, "-C", folder, ...words];
    const exact = byteExact({ argv, env: { ...env, PATH: searchPath(env.PATH) } });
    let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
    let signalled = false;
    const cancel = world.onSignal((signal) => {
      signalled = true;
      // The terminal sends Ctrl-C to the whole group, git included.
      if (signal !== "SIGINT") child?.kill(signal);
    });
    try {
      child = Bun.spawn(exact.argv, {
        ...{ cwd: "/", env: exact.env },
        ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (signalled) throw new Failure("interrupted", `git ${words[0]} was interrupted`);
      return { code, out, err };
    } finally {
      cancel();
    }
  };
}

/** For a person, in one line: what git said of its failure, without its own mark, and what it had begun before. */
export function gitWhy({ err, out, code }: Told): string {
  const lines = (err || out).split("\n").filter((line) => !/^Preparing |^\s*$/.test(line));
  const said = lines.map((line) => printable(line.replace(/^(?:fatal|error): /, ""), 500));
  return said.length === 0 ? `git ended with exit code ${code}` : said.join(" ");
}
