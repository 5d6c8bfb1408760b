/** Names of a user -> the hosts file, written by this process, which is root's: where no helper is. */
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { hostsPath } from "../system/hosts-file.ts";
import { isFolder } from "../system/is-folder.ts";
import { openRegular } from "../system/regular-file.ts";
import { replaceFile } from "../system/replace-file.ts";
import { changeAlone } from "../system/shared-file.ts";
import { editedHosts, longestHosts } from "./hosts-text.ts";
import { hostsLock, rootFolder } from "./places.ts";

export type WriteHosts = {
  /** The directory that is used as `/`. */
  root?: string;
  uid: number;
  /** None: the block goes. */
  names: readonly string[];
};

/** `why` is a clause. */
export type WrittenHosts = { kind: "written" | "unchanged" } | { kind: "failed"; why: string };

const failed = (why: string): WrittenHosts => ({ kind: "failed", why });

/** Never rejects. Whatever cannot be read whole is not written. */
export async function writeHosts({ root = "/", uid, names }: WriteHosts): Promise<WrittenHosts> {
  const path = join(root, hostsPath);
  try {
    const change = () => changed(path, { uid, names });
    // Without the folder nobody is listed, and no helper writes beside us.
    if (!isFolder(join(root, rootFolder))) return await change();
    const lock = join(root, hostsLock).replace(/\.lock$/, "");
    const alone = await changeAlone({ path: lock }, change);
    if (alone.kind === "changed") return alone.result;
    return failed(`another program has ${join(root, hostsLock)} locked`);
  } catch (error) {
    return failed((error as Error).message);
  }
}

async function changed(
  path: string,
  { uid, names }: { uid: number; names: readonly string[] },
): Promise<WrittenHosts> {
  // A link leads to a file that the system's own configuration makes.
  if ((await lstat(path)).isSymbolicLink()) return failed(`${path} is a link, which is left alone`);
  const opened = await openRegular(path, { follow: false });
  if (opened.kind === "absent") return failed(`there is no file ${path}`);
  if (opened.kind !== "file") return failed(`${path} cannot be read: ${opened.why}`);
  await using file = opened.file;
  const { its } = opened;
  if (its.size > longestHosts) return failed(`${path} is longer than ${longestHosts} bytes`);
  const text = (await file.readFile()).toString("latin1");
  if (text.length !== its.size) return failed(`${path} changed while it was read`);
  const next = editedHosts(text, { uid, names });
  if (next.kind === "torn") {
    return failed(`${path} line ${next.line}: ${next.why}; nothing was changed`);
  }
  if (next.text === text) return { kind: "unchanged" };
  await replaceFile(path, { its, bytes: Buffer.from(next.text, "latin1") });
  return { kind: "written" };
}
