/** Files -> a folder that has them, which is home too, for commands that look at what is around them. */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cli, type Ended, type Env } from "./cli.ts";

export type Files = Record<string, string>;

export interface Folder extends AsyncDisposable {
  path: string;
  env: Env;
  /** Runs a command there, or in a folder below. */
  run(args: readonly string[], below?: string): Promise<Ended>;
  text(path: string): Promise<string>;
}

export async function folder(files: Files): Promise<Folder> {
  const home = await realpath(await mkdtemp(join(tmpdir(), "localhostess-project-")));
  const path = join(home, "shop");
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    LOCALHOSTESS_CONFIG: undefined,
    LOCALHOSTESS_STATE_DIR: join(home, "state"),
  };
  return {
    path,
    env,
    run: (args, below = ".") => cli(args, { env, cwd: join(path, below) }),
    text: (name) => readFile(join(path, name), "utf8"),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
