/** The hosts file, and the names of a user -> whether its block is as it should be. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { hostsPath } from "../system/hosts-file.ts";
import { type Edited, editedHosts, longestHosts } from "./hosts-text.ts";

export type OnMachine = {
  /** The directory that is used as `/`. */
  root: string;
  uid: number;
};

export type Standing =
  /** Nothing has to be written. `leftOut`: names that other lines have. */
  | { kind: "in step"; leftOut: readonly string[] }
  | { kind: "behind" }
  | Extract<Edited, { kind: "torn" }>
  /** `why` is a clause. */
  | { kind: "unreadable"; why: string };

/** `names`: ascending, each once. */
export function standingOf(names: readonly string[], { root, uid }: OnMachine): Standing {
  const path = join(root, hostsPath);
  try {
    const its = statSync(path);
    if (!its.isFile()) return { kind: "unreadable", why: `${path} is not a file` };
    if (its.size > longestHosts) return { kind: "unreadable", why: `${path} is very long` };
    const text = readFileSync(path, "latin1");
    const edited = editedHosts(text, { uid, names });
    if (edited.kind === "torn") return edited;
    if (edited.text !== text) return { kind: "behind" };
    return { kind: "in step", leftOut: edited.leftOut };
  } catch (error) {
    return { kind: "unreadable", why: (error as Error).message };
  }
}
