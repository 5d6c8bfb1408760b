/** `setup` or `teardown` of a project's file -> shown, and run in the project's folder; its exit code. */
import { printable } from "../../text/printable.ts";
import { definedOf } from "../shared/defined.ts";
import type { World } from "../shared/world.ts";
import { runInPlace } from "./child.ts";

/** Whoever asks for the worktree asks for its commands, as with `up`. The output goes to stderr. */
export async function runDeclared(
  command: string,
  { what, folder, world }: { what: "setup" | "teardown"; folder: string; world: World },
): Promise<number> {
  world.err.write(`${world.err.colors.bold(`${what}:`)} ${printable(command, 2_000)}\n`);
  const env = definedOf(world.env);
  // The name of the project that the person is in, and not of this one.
  delete env.LOCALHOSTESS_PROJECT;
  return await runInPlace(["/bin/sh", "-c", command], {
    ...{ env: { ...env, PWD: folder }, world: { ...world, cwd: folder }, aside: true },
  });
}
