/**
 * A root and a home that are gone when the test is -> the machine that stores are given; commands are recorded,
 * and most are faked.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CommandResult, runCommand } from "../../../src/system/command.ts";
import type { Machine, RunOptions } from "../../../src/tls/trust/store.ts";

export type Fake = (
  argv: readonly string[],
  options: RunOptions | undefined,
) => CommandResult | Promise<CommandResult>;

export interface TemporaryMachine extends AsyncDisposable {
  machine: Machine;
  /** Every command that was run. */
  commands: (readonly string[])[];
  /** Makes a file under the root, with its folders. */
  put(path: string, text?: string): Promise<void>;
}

export const done = (stdout = "", code = 0, stderr = ""): CommandResult => ({
  kind: "done",
  code,
  stdout,
  stderr,
});

/** For tests that need no other: the real program, with an environment that leads to nobody's home. */
export const real: Fake = (argv, options) =>
  runCommand(argv as [string, ...string[]], {
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
    deadline: options?.deadline ?? 10_000,
    limit: 1024 * 1024,
  });

export async function temporaryMachine(
  fake: Fake,
  given: Partial<Machine> = {},
): Promise<TemporaryMachine> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-trust-"));
  const root = join(directory, "root");
  const home = join(directory, "home/ada l");
  await mkdir(root);
  await mkdir(home, { recursive: true });
  const commands: (readonly string[])[] = [];
  return {
    commands,
    machine: {
      platform: "linux",
      root,
      home,
      env: {},
      privileged: true,
      wsl: false,
      run: async (argv, options) => {
        commands.push(argv);
        return await fake(argv, options);
      },
      ...given,
    },
    async put(path, text = "") {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
