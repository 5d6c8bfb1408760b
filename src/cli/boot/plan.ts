/** The steps that a service needs -> done, or shown: files, and commands of the manager. */
import { rm } from "node:fs/promises";
import { writeAtomically } from "../../system/atomic-file.ts";
import type { CommandResult } from "../../system/command.ts";
import { shellCommand } from "../../text/shell-words.ts";
import type { StableProgram } from "../../boot/stable-program.ts";
import { unwritable } from "../../text/unwritable.ts";
import type { Settings } from "../shared/settings.ts";
import { Failure } from "../shared/failure.ts";
import type { World } from "../shared/world.ts";

export type Words = readonly [string, ...string[]];

export type Step =
  | { do: "write"; path: string; text: string; mode?: number | undefined }
  | { do: "remove"; path: string }
  | { do: "run"; words: Words };

export type Plan = {
  steps: readonly Step[];
  /** Sentences for a person. */
  notes: readonly string[];
};

/** How the service stands, as `service status` prints it. */
export type Standing = {
  /** The daemon is there after the next login, or the next start of the machine. */
  installed: boolean;
  /** The unit, the agent or the profile; null where there is none. */
  file: string | null;
  /** A person has changed it. */
  edited: boolean;
  /** As this program would write it now. */
  current: boolean;
  /** The process that the manager follows; null where it has none, or none that it follows. */
  pid: number | null;
  /** Begins before anybody logs in; null where that is not known. */
  at_boot: boolean | null;
  /** Sentences with the command that helps. */
  problems: readonly string[];
};

export type ServicePlace = {
  world: Pick<World, "env" | "home" | "platform">;
  settings: Pick<Settings, "log" | "stateDirectory">;
  program: Extract<StableProgram, { kind: "stable" }>;
  environment: Readonly<Record<string, string>>;
  /** Another directory in the place of `/`, for tests. */
  root: string;
  uid: number;
  user: string;
  /** Files that a person has changed are written over. */
  force: boolean;
  /** The daemon is to begin when the machine starts. */
  linger: boolean;
  /** The manager does not run on this machine now: its files can be removed all the same. */
  withoutManager?: boolean;
  run(words: Words): Promise<CommandResult>;
};

/** `fine`: what was wanted is so already. `again`: in a moment. A string: what to tell the person. */
export type Verdict = { kind: "fine" } | { kind: "again" } | { kind: "failed"; why: string };

export interface ServiceWay {
  /** Paths of files that are there where it was installed, whether its manager answers or not. */
  files: readonly string[];
  /** @throws Failure where something is there that is not ours. */
  install(): Promise<Plan>;
  uninstall(): Promise<Plan>;
  standing(): Promise<Standing>;
  /** For a command that has not ended with 0. */
  verdict(words: Words, result: CommandResult): Verdict;
}

/** Milliseconds between two attempts, and how many there are. */
const pause = 500;
const attempts = 20;

export type CarryOptions = Pick<ServicePlace, "run"> & Pick<ServiceWay, "verdict">;

/** @throws Failure with the reason. */
export async function carryOut(steps: readonly Step[], options: CarryOptions): Promise<void> {
  for (const step of steps) {
    if (step.do === "run") await command(step.words, options);
    else await change(step);
  }
}

async function change(step: Exclude<Step, { do: "run" }>): Promise<void> {
  try {
    if (step.do === "remove") await rm(step.path, { force: true });
    else await writeAtomically(step.path, step.text, { mode: step.mode ?? 0o644 });
  } catch (error) {
    throw new Failure("failed", unwritable(step.path, error as NodeJS.ErrnoException), {
      cause: error,
    });
  }
}

async function command(words: Words, { run, verdict }: CarryOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const result = await run(words);
    if (result.kind === "done" && result.code === 0) return;
    const its = verdict(words, result);
    if (its.kind === "fine") return;
    if (its.kind === "failed") throw new Failure("failed", its.why);
    if (attempt === attempts)
      throw new Failure("failed", `${shellCommand(words)}: it is still busy`);
    await Bun.sleep(pause);
  }
}

/** The words of a command that has failed. */
export function resultText(result: CommandResult): string {
  if (result.kind === "missing") return "it is not installed";
  if (result.kind === "failed") return result.why;
  const said = `${result.stderr}\n${result.stdout}`.split("\n").find((line) => line.trim() !== "");
  return said?.trim() ?? `it ended with ${result.code}`;
}
