/** A whole system -> what every path of it is, but for what others write down at each change; and what differs. */
import type { ThrowawaySystem } from "../../support/throwaway-system.ts";
import { ended } from "../../support/ended.ts";

/** Not looked at, each with its reason. Everything else counts, but for times. */
export const exceptions: Readonly<Record<string, string>> = {
  "/proc": "the kernel's",
  "/sys": "the kernel's",
  "/dev": "devices",
  "/run": "memory",
  "/tmp": "memory, and the clients' own files",
  "/mnt": "the packages",
  "/var/log/dpkg.log": "dpkg writes down each of its runs",
  "/var/log/apt": "apt does the same",
  "/var/lib/dpkg/status-old": "dpkg's copy of its list from before its last change",
  "/var/lib/dpkg/lock": "empty, made at dpkg's first run",
  "/var/lib/dpkg/lock-frontend": "empty, made at dpkg's first run",
  "/var/lib/dpkg/triggers/Lock": "empty, made at dpkg's first run",
  "/var/lib/dpkg/statoverride-old": "dpkg's copy of a list from before its last change",
  "/var/cache/apt": "apt's list of packages, as it last was",
};

/** Python, which sees names of any bytes, and capabilities of files. The system's root comes first. */
const script = String.raw`
import hashlib, json, os, stat, sys
top, skipped = sys.argv[1], set(json.loads(sys.argv[2]))
def look(path):
    at = top + path
    its = os.lstat(at)
    words = [stat.filemode(its.st_mode), f"{its.st_uid}:{its.st_gid}"]
    if stat.S_ISLNK(its.st_mode): words.append(os.readlink(at))
    if stat.S_ISREG(its.st_mode):
        hasher = hashlib.sha256()
        with open(at, "rb") as file:
            while part := file.read(1 << 20): hasher.update(part)
        words += [str(its.st_size), hasher.hexdigest()]
    for name in sorted(os.listxattr(at, follow_symlinks=False)):
        if not name.startswith("trusted."):
            words.append(name + "=" + os.getxattr(at, name, follow_symlinks=False).hex())
    print(json.dumps([path, " ".join(words)]))
    if stat.S_ISDIR(its.st_mode):
        for name in sorted(os.listdir(at)):
            below = path.rstrip("/") + "/" + name
            if below not in skipped: look(below)
sys.setrecursionlimit(10000)
look("/")
`;

export type Snapshot = ReadonlyMap<string, string>;

export async function snapshot(system: ThrowawaySystem): Promise<Snapshot> {
  const top = `/proc/${system.pid}/root`;
  const argv = ["python3", "-c", script, top, JSON.stringify(Object.keys(exceptions))];
  const { code, out, err } = await ended(argv, { env: process.env, cwd: "/" });
  if (code !== 0) throw new Error(err);
  return new Map(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as [string, string]),
  );
}

/** A line for each path that is new, gone, or different. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const lines: string[] = [];
  for (const [path, its] of after) {
    const was = before.get(path);
    if (was === undefined) lines.push(`new      ${path}  ${its}`);
    else if (was !== its) lines.push(`changed  ${path}\n    was ${was}\n    is  ${its}`);
  }
  for (const path of before.keys()) if (!after.has(path)) lines.push(`gone     ${path}`);
  return lines.sort();
}
