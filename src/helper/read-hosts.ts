/** The hosts file, and the names of a user -> whether its block is as it should be. */
import { join } from "node:path";
import { hostsPath, readHosts } from "../system/hosts-file.ts";
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
  const its = readHosts(join(root, hostsPath), { longest: longestHosts });
  if (its.kind === "unreadable") return its;
  if (its.isCut) return { kind: "unreadable", why: `${hostsPath} is longer than can be read` };
  const edited = editedHosts(its.text, { uid, names });
  if (edited.kind === "torn") return edited;
  if (edited.text !== its.text) return { kind: "behind" };
  return { kind: "in step", leftOut: edited.leftOut };
}

/** A name that the user's block has; undefined where there is no block. */
export function keptName({ root, uid }: OnMachine): string | undefined {
  const its = readHosts(join(root, hostsPath), { longest: longestHosts });
  if (its.kind === "unreadable") return undefined;
  const first = new RegExp(`^# BEGIN localhostess ${uid}\n127\\.0\\.0\\.1 (\\S+)$`, "m");
  return first.exec(its.text)?.[1];
}
