/** A hosts file -> the names that it has of one user's, as they are now. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { hostsPath } from "../system/hosts-file.ts";
import { longestHosts, type OwnBlock, ownBlock } from "./hosts-text.ts";

export type OnMachine = {
  /** The directory that is used as `/`. */
  root: string;
  uid: number;
};

/** `unreadable`: nothing is known. `why` is a clause. */
export type SeenBlock = OwnBlock | { kind: "unreadable"; why: string };

export function seenBlock({ root, uid }: OnMachine): SeenBlock {
  const path = join(root, hostsPath);
  try {
    const its = statSync(path);
    if (!its.isFile()) return { kind: "unreadable", why: `${path} is not a file` };
    if (its.size > longestHosts) return { kind: "unreadable", why: `${path} is very long` };
    return ownBlock(readFileSync(path, "latin1"), uid);
  } catch (error) {
    return { kind: "unreadable", why: (error as Error).message };
  }
}

/** Undefined: nobody can tell, or somebody has changed the block. */
export function namesThere(place: OnMachine): readonly string[] | undefined {
  const its = seenBlock(place);
  if (its.kind === "none") return [];
  return its.kind === "block" && its.names.length > 0 ? its.names : undefined;
}
