/** Names of this user -> `localhostess-hosts`, which writes them into the hosts file, and its answer. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../system/command.ts";
import { printable } from "../text/printable.ts";
import { helperExit, helperFolders, hostsHelperName } from "./places.ts";

export type Installed =
  | { kind: "there"; path: string }
  /** It is not there in any of the folders. */
  | { kind: "missing" }
  /** A file of its name that can do nothing for us, or that somebody else than root may change. */
  | { kind: "unfit"; path: string; why: string };

export type Answer =
  | { kind: "written" }
  /** `why` is a clause. */
  | { kind: "failed"; why: string }
  /** This user may not, or the program does not know what is asked. */
  | { kind: "refused"; why: string }
  /** `theirs` is printable. */
  | { kind: "another version"; theirs: string };

/** Milliseconds. It takes a few, and waits for others that write at the same time. */
const deadline = 10_000;

/** Bytes: a version. */
const longest = 4_096;

const setuid = 0o4000;
const writableByOthers = 0o022;

/** `root`: the directory that is used as `/`. The first one that is there counts, as with a search path. */
export function installedHosts(root = "/"): Installed {
  for (const folder of helperFolders) {
    const path = join(root, folder, hostsHelperName);
    const its = lstatSync(path, { throwIfNoEntry: false });
    if (its === undefined) continue;
    const unfit = (why: string): Installed => ({ kind: "unfit", path, why });
    if (!its.isFile()) return unfit("it is not a file");
    if (its.uid !== 0) return unfit("it is not root's");
    if ((its.mode & writableByOthers) !== 0) return unfit("others than root may change it");
    if ((its.mode & setuid) === 0) return unfit("it has not been given the right to write");
    return { kind: "there", path };
  }
  return { kind: "missing" };
}

/** `version` is ours: the program has the same, or does nothing. */
export async function askToWrite(
  names: readonly string[],
  { path, version }: { path: string; version: string },
): Promise<Answer> {
  const result = await runCommand([path, version, "write"], {
    env: {},
    deadline,
    limit: longest,
    // An input that was cut off has no such last line, and changes nothing.
    input: [...names, ".", ""].join("\n"),
  });
  if (result.kind === "missing") return { kind: "failed", why: `${path} is not there any more` };
  if (result.kind === "failed") return { kind: "failed", why: result.why };
  const said = printable(result.stderr.trim().split("\n")[0] ?? "", 500);
  const why = said === "" ? `${path} ended with exit code ${result.code}` : said;
  switch (result.code) {
    case helperExit.done:
      return { kind: "written" };
    case helperExit.refused:
      return { kind: "refused", why };
    case helperExit.version:
      return { kind: "another version", theirs: printable(result.stdout.trim(), 40) };
    default:
      return { kind: "failed", why };
  }
}
