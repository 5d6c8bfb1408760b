/** Why a database cannot be started, as a sentence: thrown, and caught once, by the program that starts it. */

export class Unstartable extends Error {
  /** True where the next try may end in another way, without anything being done. */
  readonly passing: boolean;

  constructor(
    why: string,
    { passing = false, cause }: { passing?: boolean; cause?: unknown } = {},
  ) {
    super(why, { cause });
    this.passing = passing;
  }
}

/** A fault of the file system that passes when there is room, or one that does not. Anything else is thrown again. */
export function fileFault(folder: string, error: unknown, remedy: string): Unstartable {
  const { code } = error as NodeJS.ErrnoException;
  const why = reasons[code ?? ""];
  if (why === undefined) throw error;
  const passing = code === "ENOSPC" || code === "EDQUOT";
  return new Unstartable(`${folder} cannot be written: ${why} (${code}); ${remedy}`, {
    passing,
    cause: error,
  });
}

const reasons: Readonly<Record<string, string>> = {
  EROFS: "its file system is read-only",
  EACCES: "this user may not write there",
  EPERM: "the system does not let this user write there",
  ENOSPC: "its file system is full",
  EDQUOT: "the disk quota of this user is used up",
  EIO: "its disk has failed",
  ENOTDIR: "a file is in the place of a folder",
};
