/** A folder of a git repository -> its .gitignore with a line for locald.local.toml, which is for one folder alone. */
import { lstat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localFile } from "../../manifest/layer.ts";
import { checkoutOf } from "../../supervisor/project/checkout-of.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readText } from "../../system/read-text.ts";

/** Bytes; a longer one is not written by hand. */
const longest = 1024 * 1024;

/** `why`: the reason for which it was left as it is, for a person. */
export type Ignored = { kind: "added" | "already" | "none" } | { kind: "left"; why: string };

/** `none`: the folder is in no repository, and has no such file. */
export async function ignoreLocal(folder: string): Promise<Ignored> {
  const path = join(folder, ".gitignore");
  const stats = await lstat(path).catch(() => undefined);
  const root = checkoutOf(folder)?.root;
  if (stats === undefined && root === undefined) return { kind: "none" };
  const above = root === undefined || root === folder ? "" : await textOf(join(root, ".gitignore"));
  if (above !== undefined && isIgnoredBy(above)) return { kind: "already" };
  if (stats === undefined) {
    await writeFile(path, `${localFile}\n`, { flag: "wx" });
    return { kind: "added" };
  }
  if (!stats.isFile()) return { kind: "left", why: ".gitignore is no plain file" };
  const text = await textOf(path);
  if (text === undefined) return { kind: "left", why: ".gitignore cannot be read" };
  if (isIgnoredBy(text)) return { kind: "already" };
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const before = text === "" || text.endsWith("\n") ? text : `${text}${end}`;
  await writeAtomically(path, `${before}${localFile}${end}`, { mode: stats.mode & 0o777 });
  return { kind: "added" };
}

/** By a line that names it, or one of its usual patterns; one that takes it back counts as well. */
function isIgnoredBy(text: string): boolean {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.some((line) => /^!?(?:\/|\*\*\/)?(?:locald|\*)\.local(?:\.toml|\.\*)$/.test(line));
}

async function textOf(path: string): Promise<string | undefined> {
  const its = await readText(path, { longest });
  if (its.kind === "missing") return "";
  return its.kind === "text" ? its.text : undefined;
}
