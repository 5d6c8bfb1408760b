/**
 * This machine -> a copy of its /etc and /usr/local, with a network of its own, in which root may do what it likes:
 * nothing of it is left, and nobody else sees it.
 */
import { readFileSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { builtHelpers } from "./built-helpers.ts";
import { lacking } from "./debian.ts";
import { type Ended, ended } from "./ended.ts";

const repository = resolve(import.meta.dir, "../..");
const main = join(repository, "src/main.ts");

const namespaces = ["-m", "-n", "-p"];
const unshared = [
  "unshare",
  ...namespaces,
  ...["-f", "--mount-proc", "--kill-child", "--propagation", "private"],
];

const mounts = `ip link set lo up
mount -t tmpfs -o mode=755 localhostess /mnt
for at in etc usr/local; do
  mkdir -p /mnt/$at/up /mnt/$at/work
  mount -t overlay localhostess -o lowerdir=/$at,upperdir=/mnt/$at/up,workdir=/mnt/$at/work /$at
done`;

/** Empty where it can be made here, else the reason, for a test's title. */
export function lackingSystem(): string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return " (as root, on Linux)";
  const missing = lacking(["ip", "musl-gcc", "setcap", "curl"]);
  if (missing !== "") return missing;
  const tried = Bun.spawnSync([...unshared, "sh", "-euc", mounts], { stderr: "ignore" });
  return tried.success ? "" : " (needs namespaces and overlays)";
}

export type RunAs = { uid?: number; env?: Record<string, string> };

export interface OwnSystem extends AsyncDisposable {
  /** A folder of the user's own, at the same path inside and outside. */
  home(uid: number): Promise<string>;
  words(argv: readonly string[], as?: RunAs): string[];
  run(argv: readonly string[], as?: RunAs): Promise<Ended>;
  /** Our own command line, with the user's home and nothing else. */
  cli(words: readonly string[], as?: RunAs): Promise<Ended>;
  /** The files that differ from this machine's. */
  changed(): Promise<string[]>;
}

export async function ownSystem(): Promise<OwnSystem> {
  builtHelpers();
  const directory = await mkdtemp("/tmp/localhostess-system-");
  await chmod(directory, 0o755);
  const keeper = Bun.spawn([...unshared, "sh", "-euc", `${mounts}\necho ready\nexec cat`], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  });
  const first = await keeper.stdout.getReader().read();
  if (first.value === undefined) throw new Error("no system of our own");
  const children = `/proc/${keeper.pid}/task/${keeper.pid}/children`;
  const inside = readFileSync(children, "latin1").trim();
  const homes = new Map<number, string>();
  const home = async (uid: number): Promise<string> => {
    const path = join(directory, String(uid));
    if (!homes.has(uid)) {
      homes.set(uid, path);
      await mkdir(path);
      await chown(path, uid, uid);
    }
    return path;
  };
  const words = (argv: readonly string[], { uid = 0, env = {} }: RunAs = {}): string[] => {
    const user = ["setpriv", "--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups"];
    const set = Object.entries({ PATH: "/usr/local/bin:/usr/bin:/bin", ...env });
    return [
      ...["nsenter", ...namespaces, "-t", inside, "--"],
      ...(uid === 0 ? [] : user),
      ...["env", "-i", ...set.map(([name, value]) => `${name}=${value}`), ...argv],
    ];
  };
  const run = (argv: readonly string[], as?: RunAs): Promise<Ended> =>
    ended(words(argv, as), { env: process.env, cwd: "/" });
  return {
    home,
    words,
    run,
    async cli(typed, { uid = 0, env = {} } = {}) {
      const HOME = await home(uid);
      const own = { HOME, XDG_RUNTIME_DIR: HOME, ...env };
      return await run([process.execPath, main, ...typed], { uid, env: own });
    },
    async changed() {
      const { out } = await run(["find", "/mnt/etc/up", "/mnt/usr/local/up", "-mindepth", "1"]);
      return out.split("\n").filter(Boolean).sort();
    },
    async [Symbol.asyncDispose]() {
      await keeper.stdin.end();
      await keeper.exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
