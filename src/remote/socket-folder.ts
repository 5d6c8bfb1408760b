/** The state directory -> a private folder for the sockets of one daemon, with a path that ssh takes; stale ones go. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensurePrivateDirectory } from "../system/private-directory.ts";
import { isPlainPath } from "./ssh-arguments.ts";

/**
 * Octets: 104 of a sockaddr_un on macOS with its NUL, less the 17 that ssh adds to the path of a control socket while
 * it makes it, and the longest name of a file below.
 */
const longestFolder = 103 - 17 - longestFile();

export type SocketFolderOptions = {
  stateDirectory: string;
  uid: number;
  /** `XDG_RUNTIME_DIR`, where it is set. */
  runtimeDirectory: string | undefined;
  pid: number;
  isAlive(pid: number): boolean;
};

/**
 * Each daemon has a folder of its own, named by its pid: one that was replaced still answers by its sockets. @throws
 * Error with a sentence, or the file system's error.
 */
export function socketFolder(options: SocketFolderOptions): string {
  const { uid, pid } = options;
  const parent = parentOf(options);
  mkdirSync(dirname(dirname(parent)), { recursive: true, mode: 0o700 });
  if (parent.startsWith("/tmp/")) ensurePrivateDirectory(dirname(parent), uid);
  else mkdirSync(dirname(parent), { recursive: true, mode: 0o700 });
  ensurePrivateDirectory(parent, uid);
  sweep(parent, options);
  const folder = join(parent, String(pid));
  ensurePrivateDirectory(folder, uid);
  return folder;
}

/** Removes what daemons that are gone have left, also where this one makes no connection. */
export function sweepSockets(options: SocketFolderOptions): void {
  const parent = parentOf(options);
  const its = lstatSync(parent, { throwIfNoEntry: false });
  if (its?.isDirectory() !== true || its.uid !== options.uid) return;
  sweep(parent, options);
  removeIfEmpty(parent);
}

function parentOf({ stateDirectory, uid, runtimeDirectory }: SocketFolderOptions): string {
  const hash = createHash("sha256").update(stateDirectory).digest("hex").slice(0, 8);
  const parents = [
    join(stateDirectory, "remotes"),
    ...(runtimeDirectory?.startsWith("/") ? [join(runtimeDirectory, `localhostess-${hash}`)] : []),
    join(`/tmp/localhostess-${uid}`, hash),
  ];
  return parents.find((its) => {
    const path = join(its, "4194304");
    return isPlainPath(path) && path.length <= longestFolder;
  })!;
}

/** Without the folders of daemons that run. */
function sweep(parent: string, options: Pick<SocketFolderOptions, "pid" | "isAlive">): void {
  for (const name of readdirSync(parent)) {
    const other = Number(name);
    if (other !== options.pid && options.isAlive(other)) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Removes the folder, and the one around it unless another daemon has its own there. */
export function leaveFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  removeIfEmpty(dirname(folder));
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another daemon's folder is in it, or it is gone: as it should be.
  }
}

/** A remote's name, short enough for a path. */
export function shortName(name: string): string {
  if (name.length <= longestShort) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, longestShort - 9)}.${hash}`;
}

const longestShort = 16;

/** `box-127.0.0.1-3000` would be too long: addresses other than 127.0.0.1 are hashed. */
export function socketName(name: string, { address, port }: { address: string; port: number }) {
  if (address === "127.0.0.1") return `${shortName(name)}-${port}`;
  const hash = createHash("sha256").update(`${address} ${port}`).digest("hex").slice(0, 8);
  return `${shortName(name)}-${port}.${hash}`;
}

function longestFile(): number {
  return "/".length + 16 + "-65535.01234567".length;
}
