/** A file that could not be written, and the system's error -> why, and what helps, for a person. Pure. */

type Fault = { code?: string | undefined; message: string };

const elsewhere = "LOCALHOSTESS_STATE_DIR chooses another folder for the daemon's files";

const reasons: Readonly<Record<string, string>> = {
  EROFS: `its file system is read-only (EROFS); ${elsewhere}`,
  EACCES: `this user may not write there (EACCES); ${elsewhere}`,
  EPERM: `the system does not let this user write there (EPERM); ${elsewhere}`,
  ENOSPC: `its file system is full (ENOSPC); make room, or ${elsewhere}`,
  EDQUOT: `the disk quota of this user is used up (EDQUOT); make room, or ${elsewhere}`,
  EISDIR: "a folder is in its place (EISDIR); move it away",
  EIO: `its disk has failed (EIO); ${elsewhere}`,
};

/** Stands after a colon. An error without words of ours has the system's. */
export function unwritableWhy({ code, message }: Fault): string {
  return reasons[code ?? ""] ?? message;
}

/** A whole sentence. */
export function unwritable(path: string, fault: Fault): string {
  return `${path} cannot be written: ${unwritableWhy(fault)}`;
}

/** The error itself where it has words of its own. */
export function unwritableError(path: string, error: Error & { code?: string }): Error {
  if (reasons[error.code ?? ""] === undefined) return error;
  return Object.assign(new Error(unwritable(path, error), { cause: error }), { code: error.code });
}
