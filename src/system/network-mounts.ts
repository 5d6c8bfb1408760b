/** The kernel's list of mounts -> whether a path is on another computer's disk or a program's, which may not answer. */
import { readFileSync } from "node:fs";

/** A read of these waits for a network, for a program that mounts when it is asked, or for any program (fuse(4)). */
const types = /^(?:nfs|nfs4|cifs|smb3|smbfs|afs|ceph|glusterfs|lustre|autofs|davfs|fuse(?:\..*)?)$/;

/** Programs that have the files of this machine's disks, and wait for nothing else. */
const ofOwnDisks =
  /^fuse\.(?:mergerfs|bindfs|gocryptfs|encfs|cryfs|securefs|fuse-overlayfs|unionfs|unionfs-fuse|vmhgfs-fuse|ntfs-3g|exfat|fuse2fs)$/;

/** Linux; elsewhere no mount is known. */
const list = "/proc/self/mountinfo";

/** True for a path on such a mount. */
export type IsDistant = (path: string) => boolean;

/** As the machine is mounted now. Never throws. */
export function distantNow(): IsDistant {
  let text = "";
  try {
    text = readFileSync(list, "utf8");
  } catch {
    // macOS has no such file: nothing is known to be distant.
  }
  return distantIn(text);
}

/** `text`: lines of proc_pid_mountinfo(5). */
export function distantIn(text: string): IsDistant {
  const mounts = text.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ", 2);
    const place = before?.split(" ")[4];
    const type = after?.split(" ", 1)[0];
    if (place === undefined || type === undefined) return [];
    const path = place.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(parseInt(octal, 8)),
    );
    return [{ path, isDistant: types.test(type) && !ofOwnDisks.test(type) }];
  });
  if (!mounts.some((its) => its.isDistant)) return () => false;
  return (path) => {
    let found: (typeof mounts)[number] | undefined;
    for (const its of mounts) {
      const isOver = its.path === "/" || path === its.path || path.startsWith(`${its.path}/`);
      // The later of two on one place covers the other.
      if (isOver && its.path.length >= (found?.path.length ?? 0)) found = its;
    }
    return found?.isDistant ?? false;
  };
}
