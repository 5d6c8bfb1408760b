/** Names of this user -> `localhostess-hosts`, which writes them into the hosts file, and its answer. */
import { lstatSync } from "node:fs";
import { runCommand } from "../system/command.ts";
import { printable } from "../text/printable.ts";
import { type InstalledOptions, installedPrograms, type Present } from "./installed.ts";
import { helperExit, hostsHelperName } from "./places.ts";

export type Installed = Present | { kind: "without right"; path: string } | { kind: "none" };

export type Answer =
  | { kind: "written" }
  /** `why` is a clause. */
  | { kind: "failed"; why: string }
  /** This user may not, or the program does not know what is asked. */
  | { kind: "refused"; why: string }
  /** `theirs` is printable. */
  | { kind: "another version"; theirs: string };

/** Milliseconds. It takes a few, and waits ten seconds for others that write at the same time. */
const deadline = 15_000;

/** Bytes: a version. */
const longest = 4_096;

const setuid = 0o4000;

/** The first that has its right, which `setup --hosts` gives; a package's is only there before. */
export function installedHosts(options: InstalledOptions = {}): Installed {
  const all = installedPrograms(hostsHelperName, options).map((its): Installed => {
    if (its.kind === "unsafe" || (lstatSync(its.path).mode & setuid) !== 0) return its;
    return { kind: "without right", path: its.path };
  });
  return all.find(({ kind }) => kind === "installed") ?? all[0] ?? { kind: "none" };
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
