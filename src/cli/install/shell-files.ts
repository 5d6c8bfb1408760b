/** A person's home -> the start-up files of their shells that have lines of ours, and those files without them. */
import { realpathSync } from "node:fs";
import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readText } from "../../system/read-text.ts";
import { withoutOurs } from "./shell-lines.ts";

export type ShellFile = {
  /** As the person knows it; it may be a link into a repository of such files. */
  path: string;
  removed: readonly string[];
  others: readonly number[];
};

/** Bytes. */
const longest = 1024 * 1024;

type Home = { home: string; env: Readonly<Record<string, string | undefined>> };

export function shellFilesOf({ home, env }: Home): string[] {
  const zsh = env.ZDOTDIR?.startsWith("/") ? env.ZDOTDIR : home;
  const config = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : join(home, ".config");
  return [
    ...[".profile", ".bash_profile", ".bash_login", ".bashrc"].map((name) => join(home, name)),
    ...[".zshenv", ".zprofile", ".zshrc", ".zlogin"].map((name) => join(zsh, name)),
    join(config, "fish", "config.fish"),
  ];
}

/** Those that name our program. Reads nothing else, and changes nothing. */
export async function shellFilesWithOurs(its: Home): Promise<ShellFile[]> {
  const found: ShellFile[] = [];
  for (const path of shellFilesOf(its)) {
    const read = await readText(path, { longest });
    if (read.kind !== "text") continue;
    const { removed, others } = withoutOurs(read.text);
    if (removed.length + others.length > 0) found.push({ path, removed, others });
  }
  return found;
}

/** Links stay links, and the mode stays. @throws Error of the file system, or where the file is no text any more. */
export async function removeOurs(path: string): Promise<void> {
  const read = await readText(path, { longest });
  if (read.kind !== "text") {
    throw new Error(read.kind === "missing" ? `${path} is gone` : `${path}: ${read.why}`);
  }
  const { text, removed } = withoutOurs(read.text);
  if (removed.length === 0) return;
  const real = realpathSync(path);
  const { mode } = await stat(real);
  await writeAtomically(real, text);
  await chmod(real, mode & 0o7777);
}
