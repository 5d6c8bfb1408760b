/** The shell of a service, and its environment -> the program's absolute path, or why it cannot be run. */
import { accessSync, constants, statSync } from "node:fs";
import { shown } from "../text/shown.ts";

export type Shelled = {
  /** The words before a command: a program, by its name or absolute path, and its arguments. */
  shell: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  workdir: string;
};

export type ShellProgram =
  | { kind: "program"; path: string }
  /** `why` is a clause about a service. */
  | { kind: "none"; why: string };

/**
 * A name is looked up where the service would look it up. Asked before it is run: execve(2) has one word for a missing
 * program, a missing interpreter of it, and a missing folder.
 */
export function shellProgram({ shell: [program], env, workdir }: Shelled): ShellProgram {
  const path = program!.startsWith("/")
    ? program!
    : Bun.which(program!, { PATH: env.PATH ?? "", cwd: workdir });
  if (path === null) {
    return { kind: "none", why: `its shell ${shown(program)} is not in its PATH` };
  }
  try {
    if (!statSync(path).isFile()) {
      return { kind: "none", why: `its shell ${path} is not a program` };
    }
    accessSync(path, constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? `there is no shell at ${path}`
        : `its shell ${path} may not be run (${code})`;
    return { kind: "none", why };
  }
  return { kind: "program", path };
}
