/** The path of a file that a plan writes -> whether it may be there. Pure. */

/** Files that say what is started: a plugin does not write them. */
const ownFiles = ["locald.toml", "locald.local.toml", "locald.workspace.toml", ".locald.toml"];
/** Folders in which files are run, or are somebody's record. */
const ownFolders = [".git", ".hg", ".svn", ".locald"];
/** Characters; a component may have 255 bytes. */
const longest = 400;

/** A clause; undefined where the path is one inside the project, and none of those that only a person writes. */
export function filePathMistake(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.length > longest) return `is longer than ${longest} characters`;
  if (/[\p{Cc}\\]/u.test(path) || !path.isWellFormed())
    return "has a character that no path here has";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path))
    return "is absolute; expected one relative to the project's folder";
  if (path.startsWith("~")) return "begins with ~; expected one relative to the project's folder";
  const words = path.split("/");
  if (words.includes("..")) return "leads out of the project's folder";
  if (words.some((word) => word === "" || word === "."))
    return 'is no plain path; expected one such as "config/redis.conf"';
  // A file system may hold `.GIT` and `.git` for the same.
  const lower = words.map((word) => word.toLowerCase().replace(/[ .]+$/, ""));
  const folder = ownFolders.find((its) => lower.includes(its));
  if (folder !== undefined) return `is in ${folder}, where plugins write nothing`;
  const name = lower.at(-1)!;
  if (ownFiles.includes(name) || /^procfile(?:\.|$)/.test(name)) {
    return "is a file that declares services, which plugins do not write";
  }
  return undefined;
}
