/**
 * Files of root's -> commands that see them in /etc, with the real `localhostess-hosts` in its place, while nothing of
 * this machine changes: in mounts of their own.
 */
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { version } from "../../package.json" with { type: "json" };

const source = resolve(import.meta.dir, "../../src/helper/c");
const parts = "hosts hosts-file hosts-in-place hosts-text names asked process root-file text users";

/** The program, once it is compiled. */
let built: Uint8Array | undefined;

/** A user whom no other test has: a daemon of theirs sees no server of another test. */
export const ownUid = 20_000 + (process.pid % 40_000);

/** Mounts, another user, and a compiler are needed. */
export const canHaveEtc =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["unshare", "nsenter", "setpriv", "gcc", "getent"].every((its) => Bun.which(its) !== null) &&
  Bun.spawnSync(["unshare", "-m", "true"], { stderr: "ignore" }).success;

/** Behind a test's name: where it does not run, this says why. */
export const withEtc = "(as root, with unshare, setpriv and gcc)";

/** `flags`: more for the compiler. @throws what the compiler says. */
export function compiled(
  names: readonly string[],
  { to, flags = [] }: { to: string; flags?: string[] },
): void {
  const its = ["-std=c11", "-D_GNU_SOURCE", `-DVERSION="${version}"`, "-O1", ...flags, "-o", to];
  const done = Bun.spawnSync(["gcc", ...its, ...names], { cwd: source, stderr: "pipe" });
  if (!done.success) throw new Error(done.stderr.toString());
}

export type OwnEtcOptions = {
  hosts: string;
  /** The lines of /etc/localhostess/users; undefined: there is no such folder. */
  users?: string | undefined;
  domains?: string | undefined;
};

export interface OwnEtc extends AsyncDisposable {
  /** The folder that they see as /etc. */
  etc: string;
  /** The user's home. */
  home: string;
  hosts(): string;
  /** The command in these mounts, as `ownUid`. */
  words(argv: readonly string[]): string[];
  run(
    argv: readonly string[],
    env?: Record<string, string>,
  ): { code: number; out: string; err: string };
}

export async function ownEtc({ hosts, users, domains }: OwnEtcOptions): Promise<OwnEtc> {
  const directory = await mkdtemp("/tmp/localhostess-etc-");
  chmodSync(directory, 0o755);
  const [etc, libexec, home] = ["etc", "libexec", "home"].map((its) => join(directory, its));
  for (const folder of [etc!, home!, join(libexec!, "localhostess")]) {
    mkdirSync(folder, { recursive: true });
  }
  chownSync(home!, ownUid, ownUid);
  cpSync("/etc/group", join(etc!, "group"));
  const passwd = `root:x:0:0::/root:/bin/sh\nada:x:${ownUid}:${ownUid}::${home}:/bin/sh\n`;
  writeFileSync(join(etc!, "passwd"), passwd);
  writeFileSync(join(etc!, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
  writeFileSync(join(etc!, "hosts"), hosts);
  if (users !== undefined) {
    mkdirSync(join(etc!, "localhostess"));
    writeFileSync(join(etc!, "localhostess/users"), users);
    if (domains !== undefined) writeFileSync(join(etc!, "localhostess/domains"), domains);
  }
  const program = join(libexec!, "localhostess/localhostess-hosts");
  if (built === undefined) {
    compiled(
      parts.split(" ").map((its) => `${its}.c`),
      { to: program },
    );
    built = readFileSync(program);
  } else writeFileSync(program, built);
  chmodSync(program, 0o4755);
  const mounts = `mount --bind ${etc} /etc && mount --bind ${libexec} /usr/libexec && echo ready && exec cat`;
  const keeper = Bun.spawn(["unshare", "-m", "--propagation", "private", "sh", "-c", mounts], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  });
  const first = await keeper.stdout.getReader().read();
  if (first.value === undefined) throw new Error("no mounts of our own");
  const words = (argv: readonly string[]): string[] => [
    ...["nsenter", "-m", "-t", String(keeper.pid), "--"],
    ...["setpriv", "--reuid", `${ownUid}`, "--regid", `${ownUid}`, "--clear-groups"],
    ...argv,
  ];
  return {
    ...{ etc: etc!, home: home!, words },
    hosts: () => readFileSync(join(etc!, "hosts"), "latin1"),
    run(argv, env = {}) {
      const { PATH = "" } = process.env;
      const done = Bun.spawnSync(words(argv), { cwd: "/", env: { PATH, ...env } });
      return { code: done.exitCode, out: done.stdout.toString(), err: done.stderr.toString() };
    },
    async [Symbol.asyncDispose]() {
      await keeper.stdin.end();
      await keeper.exited;
      await rm(directory, { recursive: true });
    },
  };
}
