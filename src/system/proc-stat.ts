/** The text of `/proc/<pid>/stat` -> the parent, the group, the start time and what it takes, which program runs. Pure. */

export type ProcStat = {
  parent: number;
  group: number;
  session: number;
  /** Ended, and not reaped by its parent. */
  zombie: boolean;
  /** Clock ticks that it has run, in user and in kernel mode. */
  cpuTicks: number;
  /** Resident pages. */
  pages: number;
  /** Clock ticks from boot to the start of the process: with the pid, its identity. */
  startTicks: number;
  /** Differs after an exec: the same process, but another program, environment and set of files. */
  image: string;
  /** The kernel's short name, at most 15 bytes. */
  comm: string;
};

/** Undefined where the text is not what proc_pid_stat(5) describes. */
export function parseProcStat(text: string): ProcStat | undefined {
  // The short name may hold spaces and parentheses itself: it ends at the last one.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close < open) return undefined;
  const comm = text.slice(open + 1, close);
  // Numbered as in proc_pid_stat(5), where the state, the first field here, is field 3.
  const fields = text.slice(close + 2).split(" ");
  const field = (number: number) => fields[number - 3];
  const parent = Number(field(4));
  const group = Number(field(5));
  const startTicks = Number(field(22));
  if (!Number.isInteger(parent) || !Number.isInteger(group) || !Number.isInteger(startTicks)) {
    return undefined;
  }
  // exec makes a new stack at a random place: startstack, arg_start and env_start tell it.
  return {
    parent,
    group,
    session: Number(field(6)),
    zombie: field(3) === "Z" || field(3) === "X",
    cpuTicks: Number(field(14)) + Number(field(15)),
    pages: Number(field(24)),
    startTicks,
    image: `${field(28)} ${field(48)} ${field(50)} ${comm}`,
    comm,
  };
}
