/** A path -> the engine's socket there that may be asked, or the reason why none is. Looks at files only. */
import { accessSync, constants, existsSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export type EngineSocket =
  /** `identity` changes when another socket takes its place; `owner` is the user behind it. */
  | { kind: "socket"; identity: string; owner: number }
  | { kind: "absent" }
  /** `why` is a clause for a person. */
  | { kind: "refused"; why: string };

/** `uid`: the user that we run as. */
export function engineSocket(path: string, { uid }: { uid: number }): EngineSocket {
  let its: Stats | undefined;
  try {
    its = statSync(path, { throwIfNoEntry: false });
  } catch {
    // A loop of links, a file where a folder should be, a folder of another user: nothing is there for us.
    return { kind: "absent" };
  }
  if (its === undefined) return { kind: "absent" };
  if (!its.isSocket()) return { kind: "refused", why: "it is no socket" };
  // Anybody may make a socket in /tmp, and say of any port whose it is.
  if (its.uid !== 0 && its.uid !== uid) {
    return {
      kind: "refused",
      why: `it belongs to user ${its.uid}, and only yours and root's are asked`,
    };
  }
  try {
    accessSync(path, constants.W_OK);
  } catch {
    const why =
      "permission denied; members of its group may ask it (getent group docker), and a rootless engine needs no group";
    return { kind: "refused", why };
  }
  if (isAsleep(path)) {
    return {
      kind: "refused",
      why: "systemd would start the engine for a question, so it is not asked",
    };
  }
  return { kind: "socket", identity: `${its.dev} ${its.ino} ${its.birthtimeMs}`, owner: its.uid };
}

/**
 * Whether systemd holds the socket of Docker's engine, which does not run: a person has stopped it, and a question
 * would start it again. Podman's engine is meant to be started by questions, and ends without them.
 */
export function isAsleep(path: string): boolean {
  if (basename(path) !== "docker.sock") return false;
  // systemd has a link in this folder for each unit that is active.
  const units = join(dirname(path), "systemd/units");
  return (
    existsSync(join(units, "invocation:docker.socket")) &&
    !existsSync(join(units, "invocation:docker.service"))
  );
}
