/** The path of a file that a plan writes -> whether it may be there. Pure. */
import { unprintable } from "../text/unprintable.ts";

/** Files that say what is started: a plugin does not write them. */
const ownFiles = ["locald.toml", "locald.local.toml", "locald.workspace.toml", ".locald.toml"];
/** Folders in which files are run, or are somebody's record. */
const ownFolders = [".git", ".hg", ".svn", ".locald"];
/** Characters. */
const longest = 400;
/** Bytes: file systems have 255, and the name under which it is written first has 50 more. */
const longestName = 200;

/**
 * Equal for paths that some file system holds for the same: those of macOS know no case, those of Windows neither dots
 * at the end nor what stands behind a colon, and they have a second, short name.
 */
export function foldedPath(path: string): string {
  const words = path.normalize("NFKC").split("/");
  return words.map((word) => foldedName(word.toLowerCase())).join("/");
}

function foldedName(lower: string): string {
  return lower
    .replace(/:.*$/, "")
    .replace(/[ .]+$/, "")
    .replace(/^git~\d+$/, ".git");
}

/** A clause; undefined where the path is one inside the project, and none of those that only a person writes. */
export function filePathMistake(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.length > longest) return `is longer than ${longest} characters`;
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path))
    return "is absolute; expected one relative to the project's folder";
  if (path.includes("\\")) return "has a backslash; expected / between names";
  if (unprintable.test(path)) return "has a character that cannot be seen";
  if (path.startsWith("~")) return "begins with ~; expected one relative to the project's folder";
  const words = path.split("/");
  if (words.includes("..")) return "leads out of the project's folder";
  if (words.some((word) => word === "" || word === "."))
    return 'is no plain path; expected one such as "config/redis.conf"';
  if (words.some((word) => Buffer.byteLength(word) > longestName))
    return `has a name of more than ${longestName} bytes`;
  const lower = foldedPath(path).split("/");
  const folder = ownFolders.find((its) => lower.includes(its));
  if (folder !== undefined) return `is in ${folder}, where plugins write nothing`;
  const name = lower.at(-1)!;
  if (ownFiles.includes(name) || /^procfile(?:\.|$)/.test(name)) {
    return "is a file that declares services, which plugins do not write";
  }
  return undefined;
}
