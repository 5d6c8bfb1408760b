/** Words and an environment -> a command run in our place: its arguments, terminal, signals and exit code are its own. */
import { constants } from "node:os";
import type { World } from "../shared/world.ts";

/** The shell's own: not found, and found but not to be run. */
const notFound = 127;
const notRunnable = 126;

/** @returns the exit code; 128 and the signal's number where one ended it, as shells have it. */
export async function runInPlace(
  words: readonly string[],
  { env, world }: { env: Readonly<Record<string, string>>; world: World },
): Promise<number> {
  const [command] = words;
  // Where the shell looks: in the PATH that the command is given.
  const path = command!.includes("/") ? command! : Bun.which(command!, { PATH: env.PATH ?? "" });
  if (path === null) {
    world.err.write(`localhostess: ${command}: command not found\n`);
    return notFound;
  }
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([path, ...words.slice(1)], {
      argv0: command!,
      env: { ...env },
      cwd: world.cwd,
      stdio: ["inherit", "inherit", "inherit"],
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    world.err.write(`localhostess: ${command}: ${message}\n`);
    return code === "ENOENT" ? notFound : notRunnable;
  }
  const cancel = world.onSignal((signal) => {
    // The terminal tells the whole group of Ctrl-C, and so the command too; the others were meant for us alone.
    if (signal !== "SIGINT") child.kill(signal);
  });
  await child.exited;
  cancel();
  if (child.signalCode === null) return child.exitCode ?? 1;
  return 128 + (constants.signals[child.signalCode as keyof typeof constants.signals] ?? 0);
}
