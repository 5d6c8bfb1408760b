/**
 * Folders of a Linux system -> that system with its own processes and network, whose changes are kept in memory and
 * gone at the end: for what only root can do to a whole machine.
 */
import { readFileSync } from "node:fs";
import { type Ended, ended } from "./ended.ts";

export type SystemOptions = {
  /** What it begins with; the first has precedence. `/` is this machine. */
  lowers: readonly string[];
  /** A folder of this machine that is `/mnt` there. */
  shared: string;
  /** Lines of sh that run once in it, before anything else. */
  first?: string;
  /** Milliseconds for a command: whoever waits is then told which one hangs. */
  patience?: number;
};

export type Person = {
  uid: number;
  /** All of the environment, besides PATH. */
  env?: Readonly<Record<string, string>>;
};

export interface ThrowawaySystem extends AsyncDisposable {
  words(argv: readonly string[], as?: Person): string[];
  run(argv: readonly string[], as?: Person): Promise<Ended>;
  sh(script: string, as?: Person): Promise<Ended>;
  /** The paths that differ from the lower folders, with types: `f /etc/hosts`. */
  changed(): Promise<string[]>;
  /** The process that keeps it, as this machine numbers it. */
  readonly pid: number;
}

/** Milliseconds: packages may have to be fetched. */
const usualPatience = 1_200_000;

const namespaces = ["-m", "-n", "-p", "-u"];
const unshared = ["unshare", ...namespaces, "-f", "--kill-child", "--propagation", "private"];

/** Devices that programs need; the machine's own are not there. */
const devices = ["null", "zero", "full", "random", "urandom", "tty"];

/** `$1`: the lower folders, `$2`: the shared one, `$3`: the lines that run first. */
const mounts = `ip link set lo up
hostname throwaway
mount -t tmpfs -o mode=755 localhostess /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" localhostess /mnt/root
cd /mnt/root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
for at in run tmp dev; do mount -t tmpfs -o mode=1777 localhostess $at; done
chmod 755 run dev
mkdir dev/pts dev/shm
chmod 1777 dev/shm
for at in ${devices.join(" ")}; do : > dev/$at; mount --bind /dev/$at dev/$at; done
ln -s /proc/self/fd dev/fd
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount --bind "$2" mnt
mkdir dev/changed
mount --rbind /mnt/upper dev/changed
exec chroot . sh -euc "$3
echo ready
cat
:"`;

/** Empty where it can be made here, else the reason, for a test's title. */
export function lackingThrowaway(): string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return " (as root, on Linux)";
  const words = [...unshared, "sh", "-euc", mounts, "sh", "/", "/mnt", ":"];
  const tried = Bun.spawnSync(words, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  return tried.success ? "" : " (needs namespaces and overlays)";
}

export async function throwawaySystem(options: SystemOptions): Promise<ThrowawaySystem> {
  const { lowers, shared, first = ":", patience = usualPatience } = options;
  const keeper = Bun.spawn(
    [...unshared, "sh", "-euc", mounts, "sh", lowers.join(":"), shared, first],
    { cwd: "/", stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const decoder = new TextDecoder();
  let said = "";
  for await (const bytes of keeper.stdout) {
    said += decoder.decode(bytes, { stream: true });
    if (said.endsWith("ready\n")) break;
  }
  if (!said.endsWith("ready\n")) throw new Error("no system of its own");
  const children = `/proc/${keeper.pid}/task/${keeper.pid}/children`;
  const inside = readFileSync(children, "latin1").trim();
  const words = (argv: readonly string[], { uid, env = {} }: Person = { uid: 0 }): string[] => {
    const user = ["setpriv", "--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups"];
    const path = uid === 0 ? "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin" : "";
    const set = Object.entries({ PATH: path || "/usr/local/bin:/usr/bin:/bin", ...env });
    return [
      ...["nsenter", ...namespaces, "-r", "-w", "-t", inside, "--"],
      ...(uid === 0 ? [] : user),
      ...["env", "-i", ...set.map(([name, value]) => `${name}=${value}`), ...argv],
    ];
  };
  const run = async (argv: readonly string[], as?: Person): Promise<Ended> => {
    const late = Promise.withResolvers<never>();
    const why = new Error(`not over within ${patience / 1000} s: ${argv.join(" ")}`);
    const timer = setTimeout(() => late.reject(why), patience);
    const its = ended(words(argv, as), { env: { PATH: process.env.PATH }, cwd: "/" });
    try {
      return await Promise.race([its, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    words,
    run,
    pid: Number(inside),
    sh: (script, as) => run(["sh", "-euc", script], as),
    async changed() {
      const find = ["find", "/dev/changed", "-mindepth", "1", "-printf", "%y /%P\\n"];
      return (await run(find)).out.split("\n").filter(Boolean).sort();
    },
    async [Symbol.asyncDispose]() {
      await keeper.stdin.end();
      await keeper.exited;
    },
  };
}
