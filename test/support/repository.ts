/** A folder -> a git repository, whose commands read nobody's configuration. */
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Repository {
  readonly directory: string;
  /** What it printed, without the last line's end. @throws where git fails. */
  git(...args: string[]): Promise<string>;
  write(path: string, text: string): Promise<void>;
  append(path: string, text: string): Promise<void>;
  /** Everything that is there; its hash. */
  commit(message: string, ...args: string[]): Promise<string>;
}

const identity = ["-c", "user.name=Ann", "-c", "user.email=ann@localhost"];

async function gitIn(directory: string, ...args: string[]): Promise<string> {
  const git = Bun.spawn(["git", ...identity, ...args], {
    cwd: directory,
    env: {
      PATH: process.env.PATH!,
      HOME: directory,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_EDITOR: "true",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(git.stdout).text(),
    new Response(git.stderr).text(),
    git.exited,
  ]);
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${err}${out}`);
  return out.trimEnd();
}

/** On branch main, with nothing committed. */
export async function repository(directory: string, ...options: string[]): Promise<Repository> {
  await gitIn(directory, "init", "--quiet", "--initial-branch=main", ...options);
  return opened(directory);
}

/** One that is there, such as another worktree. */
export function opened(directory: string): Repository {
  const git = (...args: string[]) => gitIn(directory, ...args);
  return {
    directory,
    git,
    write: (path, text) => writeFile(join(directory, path), text),
    append: (path, text) => appendFile(join(directory, path), text),
    async commit(message, ...args) {
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", "--message", message, ...args);
      return await git("rev-parse", "HEAD");
    },
  };
}
