/** The text of `/proc/<pid>/stat` -> the process's parent, group, start time, resource usage and program. Pure. */

export type ProcStat = {
  parent: number;
  group: number;
  session: number;
  /** The process has a controlling terminal. */
  terminal: boolean;
  /** The process has ended, and its parent has not reaped it. */
  zombie: boolean;
  /** The process was stopped by a signal (SIGSTOP, SIGTTIN). */
  stopped: boolean;
  /** As waitpid(2) reports it; 0 while it runs, and where we may not know. */
  exitStatus: number;
  /** CPU time in clock ticks, in user and kernel mode. */
  cpuTicks: number;
  /** Resident pages. */
  pages: number;
  /** Start time in clock ticks since boot. Together with the pid it identifies the process. */
  startTicks: number;
  /**
   * Where its last exec put stack and arguments: the same as its parent's where it was only forked. Undefined where we
   * may not know.
   */
  exec: string | undefined;
  /** Changes after an exec: the same process, but another program, environment and set of files. */
  image: string;
  /** The length of its arguments, each with its zero, as its last exec had them; undefined where we may not know. */
  argumentOctets: number | undefined;
  /** The kernel's short name, at most 15 bytes. */
  comm: string;
};

/** Undefined if the text is not in the format of proc_pid_stat(5). */
export function parseProcStat(text: string): ProcStat | undefined {
  // The short name may contain spaces and parentheses, so it ends at the last parenthesis.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close < open) return undefined;
  const comm = text.slice(open + 1, close);
  // Numbered as in proc_pid_stat(5). The first field in this text, the state, is field 3 there.
  const fields = text.slice(close + 2).split(" ");
  const field = (number: number) => fields[number - 3];
  const parent = Number(field(4));
  const group = Number(field(5));
  const startTicks = Number(field(22));
  if (!Number.isInteger(parent) || !Number.isInteger(group) || !Number.isInteger(startTicks)) {
    return undefined;
  }
  // exec creates a new stack at a random address, so startstack, arg_start and env_start change with it.
  return {
    parent,
    group,
    session: Number(field(6)),
    terminal: Number(field(7)) > 0,
    zombie: field(3) === "Z" || field(3) === "X",
    stopped: field(3) === "T",
    exitStatus: Number(field(52) ?? 0),
    cpuTicks: Number(field(14)) + Number(field(15)),
    pages: Number(field(24)),
    startTicks,
    exec: field(28) === "0" ? undefined : `${field(28)} ${field(48)}`,
    image: `${field(28)} ${field(48)} ${field(50)} ${comm}`,
    // A program may have moved them elsewhere (PR_SET_MM), away from its environment.
    argumentOctets:
      field(49) === field(50) && field(49) !== "0"
        ? Number(field(49)) - Number(field(48))
        : undefined,
    comm,
  };
}
