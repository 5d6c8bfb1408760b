/** A process's terminal into one whose output stands still for a while: its writers wait, nobody else does. By libc. */
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { libc } from "./libc.ts";

export interface TerminalFlow {
  /** The terminal that this process controls; undefined where it has none, or this system cannot say. */
  terminalOf(pid: number): string | undefined;
  /** Writers wait from now on. False where the terminal is gone. */
  hold(terminal: string): boolean;
  /** Writers go on. */
  release(terminal: string): boolean;
}

/** tcflow(3): TCOOFF and TCOON. */
const actions: Record<string, { off: number; on: number }> = {
  linux: { off: 0, on: 1 },
  darwin: { off: 1, on: 2 },
};

/**
 * The device of proc_pid_stat(5), field 7, as `/dev/pts/<n>`. Its minor number is bits 31 to 20 and 7 to 0; the majors 136 to
 * 143 are pseudo-terminals, 256 each (Linux, Documentation/admin-guide/devices.txt), though today's kernels use only the first.
 */
export function terminalOfStat(stat: string): string | undefined {
  const device = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4]);
  const major = (device >> 8) & 0xfff;
  if (!(major >= 136 && major <= 143)) return undefined;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `/dev/pts/${(major - 136) * 256 + minor}`;
}

/** What `ps -o tty= -p <pid>` prints on macOS, as a path. */
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
      // Without O_NOCTTY, it would become the terminal of a daemon that has none.
      const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
      descriptor = openSync(terminal, O_RDWR | O_NOCTTY | O_NONBLOCK);
    } catch {
      // Nobody has it open any more: there are no writers.
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
        // A few milliseconds, and only where a service prints faster than the disk takes.
        const ps = Bun.spawnSync(["/bin/ps", "-o", "tty=", "-p", String(pid)], { timeout: 1000 });
        return terminalOfPs(ps.stdout.toString());
      } catch {
        // It has ended.
        return undefined;
      }
    },
    hold: (terminal) => flow(terminal, "off"),
    release: (terminal) => flow(terminal, "on"),
  };
}
