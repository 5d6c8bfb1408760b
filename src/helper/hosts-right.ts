/** A user and a machine -> by what the hosts file may be written for this user, or what is missing. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { hostsPath } from "../system/hosts-file.ts";
import { readTextSync } from "../system/read-text.ts";
import { installedHosts } from "./hosts-program.ts";
import { domainsFile, helperFolders, hostsHelperName, usersFile } from "./places.ts";
import type { OnMachine } from "./read-hosts.ts";
import { listedUsers } from "./users.ts";

export type HostsRight =
  /** The program may be asked. */
  | { kind: "program"; path: string }
  /** This process writes the file itself, which takes root. */
  | { kind: "ourselves" }
  /** `isAsked`: somebody has installed it for this user. `why` is a clause. */
  | { kind: "none"; why: string; fix: string; isAsked: boolean };

export const setupHosts = "localhostess setup --hosts";

/** `platform`: on macOS there is no such program. */
export function hostsRight(
  { root, uid }: OnMachine,
  { platform }: { platform: NodeJS.Platform },
): HostsRight {
  const none = (why: string, { isAsked }: { isAsked: boolean }): HostsRight => {
    return { kind: "none", why, fix: setupHosts, isAsked };
  };
  if (platform !== "linux" && uid !== 0) {
    const why = "this system has no program for it, and only root may change the file";
    return none(why, { isAsked: false });
  }
  const isListed = mayWrite({ root, uid });
  const its = platform === "linux" ? installedHosts({ root }) : ({ kind: "none" } as const);
  if (its.kind === "unsafe")
    return none(`${its.path} cannot be used: ${its.why}`, { isAsked: isListed });
  if (its.kind !== "installed") {
    if (uid === 0) return { kind: "ourselves" };
    const what = its.kind === "none" ? "is not installed" : "was not given the right to write them";
    return none(`${hostsHelperName} ${what}`, { isAsked: isListed });
  }
  // Root itself may always.
  if (isListed || uid === 0) return { kind: "program", path: its.path };
  const why = `${join(root, usersFile)} does not allow it to this user`;
  return none(why, { isAsked: false });
}

/** Whether somebody has asked for names in the hosts file, for this user. */
export function mayWrite({ root, uid }: OnMachine): boolean {
  return (
    listedUsers(rootsOwn(join(root, usersFile)))
      .get(uid)
      ?.has("hosts") ?? false
  );
}

/** The domains besides `localhost` in which names may be written, as `c/names.c` reads them. */
export function writableDomains(root: string): readonly string[] {
  // A last line without its end may have been cut off, and be another domain.
  const lines = rootsOwn(join(root, domainsFile)).split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    const words = line
      .split("#", 1)[0]!
      .split(/[ \t]+/)
      .filter((word) => word !== "");
    return words.length === 1 ? words : [];
  });
}

/** Changes whenever something of the above does. Costs a few stat(). */
export function rightFingerprint(root: string): string {
  const programs = helperFolders.map((folder) => join(folder, hostsHelperName));
  const all = [hostsPath, usersFile, domainsFile, ...programs];
  return all.map((path) => fileFingerprint(join(root, path))).join("\n");
}

/** Bytes. */
const longestList = 64 * 1024;

const writableByOthers = 0o022;

/** Empty where it is missing, or where somebody else than root can write it, as the programs see it. */
function rootsOwn(path: string): string {
  const its = lstatSync(path, { throwIfNoEntry: false });
  if (its?.isFile() !== true || its.uid !== 0 || (its.mode & writableByOthers) !== 0) return "";
  const read = readTextSync(path, { longest: longestList });
  return read.kind === "text" ? read.text : "";
}
