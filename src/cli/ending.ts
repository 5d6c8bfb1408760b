/** How a verb has ended -> the exit code, and the words for a person on stderr. */
import { printable } from "../text/printable.ts";
import { Failure, type FailureCode } from "./shared/failure.ts";
import { UsageError } from "./shared/settings.ts";
import { exitCode } from "./shared/exit-code.ts";
import type { World } from "./shared/world.ts";

export type Ran = { code: number; /** What to call it, if it is one. */ failure: FailureCode };

/** A verb that could not ask a daemon in trouble has failed, whatever else it has done. */
export function endOf(code: number, { daemonTalk }: World): Ran {
  const isShort = code === exitCode.done && daemonTalk?.trouble === true;
  return { code: isShort ? exitCode.failed : code, failure: isShort ? "no_answer" : "failed" };
}

export type FailedOptions = {
  argv: readonly string[];
  world: World;
  /** The verb, where its help may help. */
  place: string | undefined;
};

/** Prints the error. */
export function failed(error: unknown, { argv, world, place }: FailedOptions): Ran {
  const told = error instanceof UsageError ? error.mistakes : [(error as Error).message];
  // An indented line belongs to the one before.
  for (const line of told.flatMap((text) => text.split("\n"))) {
    const start = line.startsWith("  ") ? "" : "localhostess: ";
    world.err.write(`${start}${printable(line, 2000)}\n`);
  }
  if (error instanceof UsageError) {
    if (error.isTyped && place !== undefined) world.err.write(`see: ${place} --help\n`);
    return { code: exitCode.usage, failure: "usage" };
  }
  if (argv.includes("--verbose")) world.err.write(`${(error as Error).stack}\n`);
  return {
    code: exitCode.failed,
    failure: error instanceof Failure ? error.code : "failed",
  };
}
