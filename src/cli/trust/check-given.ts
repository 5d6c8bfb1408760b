/** The file of given names -> the finding that it cannot be used; nothing where it can, or where there is none. */
import { namesPath, readNames } from "../../discovery/names-file.ts";
import type { Finding } from "./finding.ts";

export function checkGiven(stateDirectory: string): Finding[] {
  const read = readNames(namesPath(stateDirectory));
  if (read.kind === "names") return [];
  const { why, what = why, fix = null } = read;
  return [{ check: "given names", level: "broken", detail: what, fix }];
}
