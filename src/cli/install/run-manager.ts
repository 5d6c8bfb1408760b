/** The words of a package manager, or of a program of ours -> how they ended, at the person's terminal. */
import { searchPath, whereIs } from "../../system/search-path.ts";
import { runAtTerminal } from "../shared/at-terminal.ts";

export type Managed =
  | { kind: "ended"; code: number }
  | { kind: "missing" }
  /** `why`: a sentence. */
  | { kind: "failed"; why: string };

export type ManagedOptions = {
  /** The folder that it is to work in. */
  folder: string;
  env: Readonly<Record<string, string>>;
};

export async function runManager(
  [program, ...words]: readonly [string, ...string[]],
  { folder, env }: ManagedOptions,
): Promise<Managed> {
  const path = program.startsWith("/") ? program : whereIs(program, env.PATH);
  if (path === undefined) return { kind: "missing" };
  const own = { ...env, PATH: searchPath(env.PATH) };
  const ended = await runAtTerminal([path, ...words], { folder, env: own });
  return ended.kind === "cut off" ? { kind: "failed", why: `it was ended by ${ended.by}` } : ended;
}
