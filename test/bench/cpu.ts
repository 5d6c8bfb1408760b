/** A pid, or a CPU, into the seconds of work it has done. */
import { readFileSync } from "node:fs";

/** Linux counts in hundredths wherever programs can see it (USER_HZ). */
const ticksPerSecond = 100;

export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name may hold spaces and parentheses; the rest begins behind its last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const own = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  if (children === "") return own;
  return own + children.split(" ").reduce((sum, child) => sum + cpuSeconds(Number(child)), 0);
}

/** All that was done on one CPU, whoever did it. */
export function busySeconds(cpu: number): number {
  const row = new RegExp(`^cpu${cpu} (.*)$`, "m").exec(readFileSync("/proc/stat", "latin1"));
  const [user, nice, system, , , irq, softirq, steal] = row![1]!.split(" ").map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) / ticksPerSecond;
}
