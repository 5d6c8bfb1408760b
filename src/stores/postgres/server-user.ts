/** This process's user -> the user as whom PostgreSQL runs: the same one, or nobody in the place of root. */
import { runCommand } from "../../system/command.ts";
import { searchPath, whereIs } from "../../system/search-path.ts";
import { Unstartable } from "./unstartable.ts";

export type ServerUser = {
  /** The words in front of a command of the server's. */
  prefix: readonly string[];
  /** The owner of its files; undefined: this user. */
  owner: { uid: number; gid: number } | undefined;
};

/** Searched after PATH, because a process started by a service manager may have none. */
const systemPath = "/usr/bin:/bin:/usr/sbin:/sbin";

/** Milliseconds. id(1) may ask a directory server, which may be far away. */
const deadline = 10_000;

export type UserOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform?: NodeJS.Platform;
  /** The effective user of this process. */
  uid: number | undefined;
};

const refusal = "PostgreSQL does not run as root";

/** PostgreSQL refuses root, and nothing that it runs may become root again. @throws Unstartable. */
export async function serverUser(options: UserOptions): Promise<ServerUser> {
  const { env, uid, platform = process.platform } = options;
  if (uid !== 0) return { prefix: [], owner: undefined };
  const PATH = searchPath([env.PATH, systemPath].filter(Boolean).join(":"));
  const setpriv = platform === "linux" ? whereIs("setpriv", PATH) : undefined;
  if (setpriv === undefined) {
    throw new Unstartable(
      platform === "linux"
        ? `${refusal}, and there is no setpriv to run it as nobody: install util-linux, or start localhostess as a user of your own`
        : `${refusal}; start localhostess as a user of your own`,
    );
  }
  const [user, group] = await Promise.all([idOf("-u", PATH), idOf("-g", PATH)]);
  if (user === undefined || group === undefined) {
    throw new Unstartable(`${refusal}, and this system has no user nobody to run it as`);
  }
  const prefix = [
    setpriv,
    ...[`--reuid=${user}`, `--regid=${group}`, "--clear-groups", "--no-new-privs"],
    ...["--inh-caps=-all", "--bounding-set=-all"],
  ];
  return { prefix, owner: { uid: user, gid: group } };
}

async function idOf(option: "-u" | "-g", PATH: string): Promise<number | undefined> {
  const said = await runCommand(["id", option, "nobody"], { env: { PATH }, deadline, limit: 100 });
  const text = said.kind === "done" && said.code === 0 ? said.stdout.trim() : "";
  // nobody that is root would be no nobody.
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}
