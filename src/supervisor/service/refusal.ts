/** An error of the system while a process is being started -> a sentence for a person, and whether it may pass. */

export type Refusal = {
  why: string;
  /** True where the next try may go better. */
  passing: boolean;
};

/** The words for fork(2), execve(2), pipe(2), socket(2), bind(2) and posix_openpt(3). */
const refusals: Readonly<Record<string, Refusal>> = {
  ENOENT: { why: "its shell needs a program that is not there (ENOENT)", passing: false },
  ENOEXEC: { why: "its shell is not a program that this machine runs (ENOEXEC)", passing: false },
  EACCES: { why: "its shell may not be run (EACCES)", passing: false },
  E2BIG: { why: "its command and environment are larger than the system takes", passing: false },
  EAGAIN: {
    why: "the system lets this user start no further process (EAGAIN; see `ulimit -u`)",
    passing: true,
  },
  ENOMEM: { why: "the system has no memory for another process (ENOMEM)", passing: true },
  EMFILE: {
    why: "localhostess has no descriptor left for it (EMFILE; see `ulimit -n`)",
    passing: true,
  },
  ENFILE: { why: "the system has no descriptor left for it (ENFILE)", passing: true },
};

/** Codes that mean something else of a terminal than of a process. */
const terminalRefusals: Readonly<Record<string, Refusal>> = {
  ENOENT: { why: "there is no /dev/ptmx for a terminal; pty = false does without", passing: false },
  EACCES: { why: "/dev/ptmx may not be opened; pty = false does without", passing: false },
  ENOSPC: {
    why: "the system has no terminal left (ENOSPC; see /proc/sys/kernel/pty/max); pty = false does without",
    passing: true,
  },
};

/** The refusal of a process. */
export function refusalOf(error: NodeJS.ErrnoException): Refusal {
  const known = refusals[error.code ?? ""];
  return known ?? { why: `it could not be started: ${error.message}`, passing: true };
}

/** The refusal of a terminal for it, by the code of the error. */
export function terminalRefusal(code: string | undefined): Refusal | undefined {
  return terminalRefusals[code ?? ""] ?? refusals[code ?? ""];
}
