/** Shell commands into children whose output and end a test can read. */
import type { Ending } from "../../src/supervisor/family/ending.ts";
import { tmpdir } from "node:os";
import {
  type Child,
  type ChildEffects,
  type ChildOptions,
  type Spawned,
  spawnChild,
} from "../../src/supervisor/service/child.ts";
import { systemClock } from "../../src/system/clock.ts";
import { pipes } from "../../src/system/pipes.ts";
import { processCalls } from "../../src/system/process-calls.ts";
import { terminalFlow } from "../../src/system/terminal-flow.ts";

export function childEffects(): ChildEffects {
  return {
    clock: systemClock,
    flow: terminalFlow(process.platform),
    pipes: pipes(process.platform),
    calls: processCalls(process.platform),
    own: new Set(),
  };
}

export type Heard = {
  child: Child;
  text: { stdout: string; stderr: string };
  bytes: number;
  exit: Promise<Ending>;
};

export const plainEnv = { PATH: process.env.PATH!, TERM: "xterm-256color" };

export function spawned(
  options: Partial<ChildOptions> & { command: string },
  effects: Partial<ChildEffects> = {},
): { result: Spawned; heard: Heard } {
  const { promise: exit, resolve } = Promise.withResolvers<Ending>();
  const heard: Heard = {
    child: undefined as unknown as Child,
    text: { stdout: "", stderr: "" },
    bytes: 0,
    exit,
  };
  const result = spawnChild(
    {
      shell: ["/bin/sh", "-c"],
      workdir: tmpdir(),
      env: plainEnv,
      pty: true,
      onOutput(stream, bytes) {
        heard.bytes += bytes.length;
        // Enough for every question but "how much".
        if (heard.bytes < 1_000_000) heard.text[stream] += Buffer.from(bytes).toString();
      },
      onExit: resolve,
      ...options,
    },
    { ...childEffects(), ...effects },
  );
  if (result.kind === "spawned") heard.child = result.child;
  return { result, heard };
}

/** @throws where it was refused. */
export function running(options: Partial<ChildOptions> & { command: string }): Heard {
  const { result, heard } = spawned(options);
  if (result.kind !== "spawned") throw new Error(result.why);
  return heard;
}

/** Ends what a test has started, however far the test came. */
export function kill(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Ended already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
