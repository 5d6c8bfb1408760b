/** Words and an environment -> a command run in our place, with its own terminal, signals and exit code. */
import { constants } from "node:os";
import { byteExact } from "../../system/byte-text.ts";
import type { World } from "../shared/world.ts";

/** The exit codes of shells: not found, and found but not executable. */
const notFound = 127;
const notRunnable = 126;

/** @returns the exit code; 128 plus the signal's number where a signal ended it, as in shells. */
export async function runInPlace(
  words: readonly string[],
  {
    env,
    world,
    aside = world.json !== undefined,
  }: {
    env: Readonly<Record<string, string>>;
    world: World;
    /** True: its output goes to stderr, as stdout is for our own answer. With --json, it has JSON only. */
    aside?: boolean;
  },
): Promise<number> {
  const [command] = words;
  // Looked up as a shell does, in the PATH of the command.
  const path = command!.includes("/") ? command! : Bun.which(command!, { PATH: env.PATH ?? "" });
  if (path === null) {
    if (world.json !== undefined) world.json.code = "not_found";
    world.err.write(`localhostess: ${command}: command not found\n`);
    return notFound;
  }
  let child: Bun.Subprocess | undefined;
  // Before it starts: the first thing that it prints may be answered with Ctrl-C.
  const cancel = world.onSignal((signal) => {
    // The terminal sends Ctrl-C to the whole group, including the command; other signals come to us alone.
    if (signal !== "SIGINT") child?.kill(signal);
  });
  try {
    const exact = byteExact({ argv: [path, ...words.slice(1)], env: { ...env } });
    child = Bun.spawn(exact.argv, {
      ...(exact.argv[0] === path ? { argv0: command! } : {}),
      env: exact.env,
      cwd: world.cwd,
      stdio: ["inherit", aside ? 2 : "inherit", "inherit"],
    });
  } catch (error) {
    cancel();
    const { code, message } = error as NodeJS.ErrnoException;
    world.err.write(`localhostess: ${command}: ${message}\n`);
    return code === "ENOENT" ? notFound : notRunnable;
  }
  await child.exited;
  cancel();
  if (child.signalCode === null) return child.exitCode ?? 1;
  return 128 + (constants.signals[child.signalCode as keyof typeof constants.signals] ?? 0);
}
