/** A machine and a user -> how the helper for ports 80 and 443 stands, without asking it for a port. */
import { join } from "node:path";
import { runCommand } from "../system/command.ts";
import { fileCapability, mayBindAlone } from "../system/file-capability.ts";
import { readText } from "../system/read-text.ts";
import { installedPrograms, unsafeWhy } from "./installed.ts";
import { helperName, usersFile } from "./places.ts";
import { listedUsers, type Right } from "./users.ts";

export type HelperLook =
  | { kind: "none" }
  | { kind: "unsafe"; why: string }
  | { kind: "version"; path: string; its: string }
  /** Its right was lost: a copy, a restored backup, or a file system that has none. */
  | { kind: "powerless"; path: string }
  | { kind: "unlisted" }
  | { kind: "ready"; path: string };

export type LookOptions = {
  root: string;
  uid: number;
  version: string;
};

/** Milliseconds, for a program that only prints its version. */
const patience = 5_000;

export async function lookForHelper({ root, uid, version }: LookOptions): Promise<HelperLook> {
  let other: HelperLook = { kind: "none" };
  for (const its of installedPrograms(helperName, { root })) {
    if (its.kind === "unsafe") return { kind: "unsafe", why: its.why };
    const had = await programVersion(its.path);
    if (had !== version) other = { kind: "version", path: its.path, its: had };
    else if (!mayBindAlone(fileCapability(its.path))) return { kind: "powerless", path: its.path };
    else if (uid !== 0 && !(await usersOf(root)).get(uid)?.has("ports"))
      return { kind: "unlisted" };
    else return { kind: "ready", path: its.path };
  }
  return other;
}

/** Empty where it does not say. */
export async function programVersion(path: string): Promise<string> {
  const its = await runCommand([path, "--version"], { env: {}, deadline: patience, limit: 1_024 });
  return its.kind === "done" && its.code === 0 ? its.stdout.trim() : "";
}

/** Bytes: what the programs read. */
const longestUsers = 64 * 1024;

/** Nobody, where the programs would not believe the file. */
export async function usersOf(root: string): Promise<Map<number, Set<Right>>> {
  const path = join(root, usersFile);
  if (unsafeWhy(path, { root }) !== undefined) return new Map();
  const its = await readText(path, { longest: longestUsers, lossy: true });
  return its.kind === "text" ? listedUsers(its.text) : new Map();
}
