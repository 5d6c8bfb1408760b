/** This package's own program, `localhostess server start`, into a proxy that runs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { running } from "./running.ts";

export type Program = {
  port: number;
  pid: number;
  /** Its state directory. */
  state: string;
  /** What it has printed of late. */
  output(): string;
  /** SIGTERM, and the exit code; twice is harmless. */
  stop(): Promise<number | string>;
};

const root = resolve(import.meta.dir, "../..");

/** On a port that the system chooses, with a state directory of its own. `more`: further arguments. */
export async function startProgram(
  more: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Program> {
  const state = await mkdtemp(join(tmpdir(), "localhostess-state-"));
  const command = [process.execPath, join(root, "src/main.ts"), "server", "start", "--port", "0"];
  command.push(...more);
  const program = await running(command, {
    env: { LOCALHOSTESS_STATE_DIR: state, LOCALHOSTESS_PORT: undefined, ...env },
    // In the banner: from here on it answers.
    ready: /http:\/\/localhost:(\d+)\/proxy\.pac/,
  }).catch(async (error) => {
    await rm(state, { recursive: true, force: true });
    throw error;
  });
  let stopping: Promise<number | string> | undefined;
  return {
    port: Number(program.said[1]),
    pid: program.pid,
    state,
    output: program.output,
    stop() {
      stopping ??= program.stop().finally(() => rm(state, { recursive: true, force: true }));
      return stopping;
    },
  };
}
