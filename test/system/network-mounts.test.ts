/** Lines of the kernel's list of mounts -> paths that may keep a reader waiting. */
import { expect, test } from "bun:test";
import { distantIn, distantNow } from "../../src/system/network-mounts.ts";

const text = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/me/local rw - ext4 /dev/sdb1 rw
32 22 0:41 / /mnt/a\\040b rw - fuse.sshfs box: rw
33 22 0:42 / /auto rw - autofs systemd-1 rw
34 33 8:3 / /auto rw - ext4 /dev/sdc1 rw
35 22 0:43 / /mnt/c rw - 9p C: rw
36 22 0:44 / /mnt/odd rw - fuse.odd odd rw
37 22 0:45 / /mnt/any rw - fuse any rw
38 22 0:46 / /mnt/pool rw - fuse.mergerfs a:b rw
39 22 0:47 / /mnt/usb rw - fuseblk /dev/sdd1 rw
half a line
`;

test.each([
  ["/srv/shop", false],
  ["/home/me", true],
  ["/homely", false],
  ["/home/me/local/shop", false],
  ["/mnt/a b/shop", true],
  ["/mnt/a", false],
  ["/auto/shop", false],
  // Windows' disk inside its Linux subsystem is this computer's.
  ["/mnt/c/shop", false],
  // Any program may be behind it, and may hang.
  ["/mnt/odd/shop", true],
  ["/mnt/any/shop", true],
  ["/mnt/pool/shop", false],
  ["/mnt/usb/shop", false],
])("%s is distant: %p", (path, isDistant) => {
  expect(distantIn(text)(path)).toBe(isDistant);
});

test("a list that cannot be understood knows of nothing", () => {
  for (const odd of ["", "\n\n", " - ", "1 2 3", "x".repeat(1000)]) {
    expect(distantIn(odd)("/home")).toBe(false);
  }
});

test("the folder of the tests is this machine's", () => {
  expect(distantNow()("/proc/self")).toBe(false);
});
