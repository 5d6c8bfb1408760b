/**
 * A process's terminal -> the same terminal with its output paused: its writers block, nothing else does. Uses libc.
 */
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { libc } from "./libc.ts";

export interface TerminalFlow {
  /** The controlling terminal of this process; undefined if it has none, or if the system cannot say. */
  terminalOf(pid: number): string | undefined;
  /** Writers block from now on. False if the terminal is gone. */
  hold(terminal: string): boolean;
  /** Writers continue. */
  release(terminal: string): boolean;
}

/** TCOOFF and TCOON of tcflow(3). */
const actions: Record<string, { off: number; on: number }> = {
  linux: { off: 0, on: 1 },
  darwin: { off: 1, on: 2 },
};

/**
 * Field 7 of proc_pid_stat(5), a device number, as `/dev/pts/<n>`. The minor number is bits 31 to 20 and 7 to 0. The
 * majors 136 to 143 are pseudo-terminals, 256 each (Linux, Documentation/admin-guide/devices.txt), though current
 * kernels only use the first.
 */
export function terminalOfStat(stat: string): string | undefined {
  const device = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4]);
  const major = (device >> 8) & 0xfff;
  if (!(major >= 136 && major <= 143)) return undefined;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `/dev/pts/${(major - 136) * 256 + minor}`;
}

/** The output of `ps -o tty= -p <pid>` on macOS, as a path. */
export function terminalOfPs(text: string): string | undefined {
  const name = text.trim();
  return /^tty\w+$/.test(name) ? `/dev/${name}` : undefined;
}

export function terminalFlow(platform: string): TerminalFlow {
  const action = actions[platform];
  const calls = libc({ tcflow: { args: ["i32", "i32"], returns: "i32" } });

  function flow(terminal: string, what: "off" | "on"): boolean {
    if (action === undefined || calls === undefined) return false;
    let descriptor: number;
    try {
      // Without O_NOCTTY, the terminal would become the controlling terminal of a daemon that has none.
      const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
      descriptor = openSync(terminal, O_RDWR | O_NOCTTY | O_NONBLOCK);
    } catch {
      // No process has the terminal open any more, so there are no writers.
      return false;
    }
    try {
      return calls.tcflow(descriptor, action[what]) === 0;
    } finally {
      closeSync(descriptor);
    }
  }

  return {
    terminalOf(pid) {
      try {
        if (platform === "linux") return terminalOfStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
        if (platform !== "darwin") return undefined;
        // `ps` takes a few milliseconds. It only runs when a service prints faster than the disk can write.
        const ps = Bun.spawnSync(["/bin/ps", "-o", "tty=", "-p", String(pid)], { timeout: 1000 });
        return terminalOfPs(ps.stdout.toString());
      } catch {
        // The process has ended.
        return undefined;
      }
    },
    hold: (terminal) => flow(terminal, "off"),
    release: (terminal) => flow(terminal, "on"),
  };
}
