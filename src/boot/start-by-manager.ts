/** A daemon that is to be started, or replaced -> the command by which its manager does that, where it has one. */
import { lstatSync } from "node:fs";
import { agentPath, managerSocket, type Person, unitPaths } from "./places.ts";
import { launchdLabel } from "./plist-text.ts";
import { unitName } from "./unit-text.ts";
import { unitOf } from "../system/unit-of.ts";

export type ManagerCommand = {
  words: readonly [string, ...string[]];
  /** Words for a person, where the command fails. */
  see: string;
};

export type Wanted = Person & {
  platform: NodeJS.Platform;
  uid: number;
  /** The running daemon that is to be replaced. */
  pid: number | undefined;
};

const see = `journalctl --user -u ${unitName}`;

/** Undefined: whoever wants a daemon starts it. */
export function commandOfManager({
  platform,
  uid,
  pid,
  ...person
}: Wanted): ManagerCommand | undefined {
  if (platform === "linux") {
    const verb = pid === undefined ? startVerb(person) : reloadVerb(pid);
    return verb && { words: ["systemctl", "--user", verb, unitName], see };
  }
  // The process that launchd has started stays when its daemon is replaced, so that anybody may do that.
  if (platform !== "darwin" || pid !== undefined || !isThere(agentPath(person))) return undefined;
  const target = `gui/${uid}/${launchdLabel}`;
  return { words: ["/bin/launchctl", "kickstart", target], see: `launchctl print ${target}` };
}

/** Whoever is in the unit itself, as the command of its reload is, starts the daemon there. */
function reloadVerb(pid: number): "reload" | undefined {
  const its = unitOf(pid);
  return its?.name === unitName && unitOf("self")?.path !== its.path ? "reload" : undefined;
}

function startVerb(person: Person): "start" | undefined {
  if (unitOf("self")?.name === unitName) return undefined;
  const socket = managerSocket(person);
  return isThere(unitPaths(person).wanted) && socket !== undefined && isThere(socket)
    ? "start"
    : undefined;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
