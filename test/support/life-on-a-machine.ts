/**
 * The package for Debian -> what somebody sees who installs it on this machine, uses it and takes it away, while
 * nothing of this machine changes.
 */
import { lstatSync, readFileSync } from "node:fs";
import { constants } from "node:fs";
import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { lacking } from "./debian.ts";
import type { Ended } from "./ended.ts";
import {
  lackingThrowaway,
  type Person,
  throwawaySystem,
  type ThrowawaySystem,
} from "./throwaway-system.ts";

/** Empty where it can be done here, else the reason, for a test's title. */
export function lackingLife(): string {
  const missing = lacking(["dpkg-deb", "setcap", "perl", "musl-gcc", "curl"]);
  return missing === "" ? lackingThrowaway() : missing;
}

/** What dpkg, apt and the triggers of other packages write down at each of their runs. */
const records = /^\/var\/(?:lib\/(?:dpkg|apt)|log|cache\/(?:apt|debconf|man|ldconfig))\//;

/** A folder that both have, or a file with the same bytes and rights: written anew, or below a new file once. */
function isSame(here: string, there: string): boolean {
  const [was, is] = [here, there].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  if (was === undefined || is === undefined) return was === is;
  if (was.mode !== is.mode || was.uid !== is.uid || was.gid !== is.gid) return false;
  return was.isDirectory() || (was.isFile() && readFileSync(here).equals(readFileSync(there)));
}

const source = resolve(import.meta.dir, "stand-in-sudo.c");

export interface Life extends AsyncDisposable {
  system: ThrowawaySystem;
  /** A user with a home of their own, who may use sudo. */
  person(uid: number): Person;
  /** A line of sh. */
  says(script: string, as: Person): Promise<Ended>;
  /** What differs from this machine, but for dpkg's and apt's own records. */
  left(): Promise<string[]>;
}

/** `folder`: an empty one, for files on the way. */
export async function lifeOnAMachine(deb: string, folder: string): Promise<Life> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  await copyFile(deb, join(folder, "localhostess.deb"));
  // This machine's /tmp, where it may be, is not there.
  await copyFile(process.execPath, join(folder, "bun"), constants.COPYFILE_FICLONE);
  await chmod(join(folder, "bun"), 0o755);
  const sudo = join(folder, "sudo");
  const done = Bun.spawnSync(["musl-gcc", "-static", "-O1", "-o", sudo, source], {
    stderr: "pipe",
  });
  if (!done.success) throw new Error(done.stderr.toString());
  await chmod(sudo, 0o4755);
  const system = await throwawaySystem({
    patience: 90_000,
    lowers: ["/"],
    shared: folder,
    // The pages of this machine's manual are not listed anew, which takes longer than all the rest.
    first: `printf '127.0.0.1 localhost\\n::1 localhost\\n' > /etc/hosts
rm -f /var/lib/man-db/auto-update`,
  });
  const before = new Set(await system.changed());
  return {
    system,
    person: (uid) => ({ uid, env: { HOME: `/tmp/${uid}`, PATH: "/mnt:/usr/bin:/bin" } }),
    says: (script, as) => system.sh(`mkdir -p ~\ncd\n${script}`, as),
    async left() {
      const top = `/proc/${system.pid}/root`;
      const changed = (await system.changed()).filter((line) => !before.has(line));
      return changed.filter((line) => {
        const path = line.slice(2);
        return !records.test(path) && !isSame(path, join(top, path));
      });
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}
