/** Arguments -> what the command line prints and how it ends, within this process: a verb takes milliseconds then. */
import { homedir, tmpdir } from "node:os";
import { run } from "../../src/cli/run.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import type { Ended } from "../support/ended.ts";
import { type CliOptions, environment, main } from "./cli.ts";

export async function inProcess(
  words: readonly string[],
  { env = {}, cwd = tmpdir() }: CliOptions = {},
): Promise<Ended> {
  // For whoever starts a daemon: as the program knows itself.
  (Bun as { main: string }).main = main;
  const said = { out: "", err: "" };
  const screen = (name: keyof typeof said): Screen => ({
    write(text) {
      said[name] += text;
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  });
  const all = environment(env);
  const world: World = {
    ...{ env: all, cwd, home: all.HOME ?? homedir(), platform: process.platform },
    ...{ out: screen("out"), err: screen("err") },
    prompt: () => Promise.resolve(undefined),
    onSignal: () => () => {},
    onResize: () => () => {},
    exit() {},
  };
  return { code: await run(words, world), ...said };
}
