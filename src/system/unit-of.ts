/** A pid -> the unit of systemd that the process belongs to, by its cgroup. cgroups(7), systemd.slice(5). */
import { readFileSync } from "node:fs";

export type Unit = {
  /** Such as `localhostess.service`. */
  name: string;
  /** The whole path: a unit of a user and one of the system may have the same name. */
  path: string;
};

/** Undefined outside of units, for a process that is gone, and on systems without cgroups. */
export function unitOf(pid: number | "self"): Unit | undefined {
  try {
    return unitIn(readFileSync(`/proc/${pid}/cgroup`, "latin1"));
  } catch {
    // As above.
    return undefined;
  }
}

/**
 * The text of `/proc/<pid>/cgroup`: a line for each hierarchy, of which systemd uses the unified one, and its own where
 * the others are of version 1.
 */
export function unitIn(text: string): Unit | undefined {
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || (controllers !== "" && controllers !== "name=systemd")) continue;
    const parts = path.split("/");
    // A unit may have groups of its own below; `user@1000.service` holds everything of a user.
    const at = parts.findLastIndex((part) => /\.(?:service|scope)$/.test(part));
    const name = parts[at];
    if (name === undefined || !name.endsWith(".service") || /^user@\d+\.service$/.test(name)) {
      continue;
    }
    return { name, path: parts.slice(0, at + 1).join("/") };
  }
  return undefined;
}
