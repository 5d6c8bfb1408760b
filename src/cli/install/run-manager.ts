/** The words of a package manager, or of a program of ours -> how they ended, at the person's terminal. */
import { searchPath, whereIs } from "../../system/search-path.ts";

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

/** Without a deadline: a download takes as long as it takes, and the person sees it. */
export async function runManager(
  [program, ...words]: readonly [string, ...string[]],
  { folder, env }: ManagedOptions,
): Promise<Managed> {
  const path = program.startsWith("/") ? program : whereIs(program, env.PATH);
  if (path === undefined) return { kind: "missing" };
  try {
    const child = Bun.spawn([path, ...words], {
      cwd: folder,
      env: { ...env, PATH: searchPath(env.PATH) },
      stdin: "inherit",
      // Answers only are on stdout.
      stdout: 2,
      stderr: "inherit",
    });
    const code = await child.exited;
    return child.signalCode === null
      ? { kind: "ended", code }
      : { kind: "failed", why: `it was ended by ${child.signalCode}` };
  } catch (error) {
    return { kind: "failed", why: (error as Error).message };
  }
}
