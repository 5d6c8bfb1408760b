/** A regular file -> a copy where nothing is yet, with its mode; where the file system can, both share their blocks. */
import { constants } from "node:fs";
import { copyFile, open, rm, stat } from "node:fs/promises";

/** Bytes. A larger file takes so long that a person may not want to wait for its end. */
const longestAtOnce = 64 * 1024 * 1024;
/** Bytes of such a file that are copied before anybody is asked again. */
const piece = 1024 * 1024;
const zeros = Buffer.alloc(piece);

/** Errors of a file system that cannot share blocks, or of two. */
const cannotShare = ["ENOTSUP", "EOPNOTSUPP", "EXDEV", "EINVAL", "ENOSYS", "ENOTTY", "EPERM"];

/**
 * `source` is no link: whoever calls this has looked. A link at `target` is not followed. False where `isOver` has
 * ended it. @throws what the system says, such as ENOSPC. Half a file, which would be taken for a whole one the next
 * time, is removed.
 */
export async function copyNewFile(
  source: string,
  target: string,
  { isOver }: { isOver(): boolean },
): Promise<boolean> {
  try {
    const { size } = await stat(source);
    if (size <= longestAtOnce) {
      await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      return true;
    }
    if (await isShared(source, target)) return true;
    if (await isCopied(source, target, { isOver })) return true;
    await rm(target, { force: true });
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(target, { force: true });
    throw error;
  }
}

async function isShared(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (!cannotShare.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await rm(target, { force: true });
    return false;
  }
}

/** Holes stay holes: a sparse file may say that it is larger than the disk. False where it was ended before. */
async function isCopied(
  source: string,
  target: string,
  { isOver }: { isOver(): boolean },
): Promise<boolean> {
  await using from = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  const { mode } = await from.stat();
  await using to = await open(target, "wx", 0o600);
  const bytes = Buffer.alloc(piece);
  for (let at = 0; ;) {
    if (isOver()) return false;
    const { bytesRead } = await from.read(bytes, 0, piece, at);
    if (bytesRead === 0) {
      await to.truncate(at);
      await to.chmod(mode & 0o7777);
      return true;
    }
    const read = bytes.subarray(0, bytesRead);
    if (!read.equals(zeros.subarray(0, bytesRead))) {
      for (let written = 0; written < bytesRead;) {
        const { bytesWritten } = await to.write(read, written, bytesRead - written, at + written);
        written += bytesWritten;
      }
    }
    at += bytesRead;
  }
}
