/** A variable and the beginning of its value -> processes of ours that have it, whoever has started them. */
import { readdirSync, readFileSync } from "node:fs";
import { runCommand } from "./command.ts";
import { sought, valueIn } from "./environment-value.ts";

export type StartedWith = { variable: string; begins: string };

/** This process is not among them, and neither is one that has overwritten its environment. */
export async function startedWith(
  its: StartedWith,
  { platform = process.platform as string }: { platform?: string } = {},
): Promise<number[]> {
  const found = platform === "linux" ? byProc(its) : await byPs(its);
  return found.filter((pid) => pid !== process.pid);
}

function byProc({ variable, begins }: StartedWith): number[] {
  const name = sought(variable);
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        const environment = readFileSync(`/proc/${pid}/environ`);
        const value = valueIn(environment, name);
        // The rest is none of our business, also not in a heap dump.
        environment.fill(0);
        return value?.startsWith(begins) === true;
      } catch {
        // Another user's, or gone.
        return false;
      }
    });
}

/** None where ps says nothing, as for the system's own programs on macOS. */
async function byPs(its: StartedWith): Promise<number[]> {
  const ran = await runCommand(["ps", "-xEww", "-o", "pid=", "-o", "command="], {
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    deadline: 5000,
    limit: 32 * 1024 * 1024,
  });
  return ran.kind === "done" ? startedIn(ran.stdout, its) : [];
}

/** Lines of `ps -E`: a pid, the words of the command, and its variables, all with blanks between. */
export function startedIn(text: string, { variable, begins }: StartedWith): number[] {
  return text
    .split("\n")
    .filter((line) => line.includes(` ${variable}=${begins}`))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid > 0);
}
