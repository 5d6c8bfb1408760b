/** The state directory -> where an authority is in it. */
import { join } from "node:path";
import type { AuthorityKind } from "./server-name.ts";

export function authorityDirectory(stateDirectory: string, kind: AuthorityKind): string {
  return join(stateDirectory, kind === "names" ? "authority" : "authority-bare");
}

/** The key and its certificate in one file: two files could be one of the old pair and one of the new. */
export function authorityPath(stateDirectory: string, kind: AuthorityKind): string {
  return join(authorityDirectory(stateDirectory, kind), "authority.pem");
}
