/** The place of a database -> a private folder for its unix socket, whose path is short enough for one. */
import { chownSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StorePlace } from "../../manifest/order.ts";
import { ensurePrivateDirectory } from "../../system/private-directory.ts";
import type { ServerUser } from "./server-user.ts";
import { fileFault } from "./unstartable.ts";

/** Bytes of a path in a sockaddr_un, without the NUL: 107 with Linux, 103 with macOS. */
const longest = { linux: 107, darwin: 103 } as const;

/** The longest name of a socket, and of the file that locks it. */
const nameLength = "/.s.PGSQL.65535.lock".length;

export type SocketOptions = {
  user: ServerUser;
  uid: number;
  platform?: NodeJS.Platform;
};

/** Made where it is not there. @throws with a sentence. */
export function socketFolder(
  { folder, sockets }: StorePlace,
  { user, uid, platform = process.platform }: SocketOptions,
): string {
  const most = longest[platform === "darwin" ? "darwin" : "linux"];
  const fits = Buffer.byteLength(sockets) + nameLength <= most;
  const hash = new Bun.CryptoHasher("sha256").update(folder).digest("hex").slice(0, 16);
  // Not XDG_RUNTIME_DIR: it may go away with a login, and the server stays.
  const chosen = fits ? sockets : join("/tmp", `localhostess-${uid}-${hash}`);
  const owner = user.owner?.uid ?? uid;
  try {
    mkdirSync(chosen, { mode: 0o700, recursive: fits });
    // Just made, and no link: nobody else could put one there.
    if (user.owner !== undefined && lstatSync(chosen).uid === uid) {
      chownSync(chosen, user.owner.uid, user.owner.gid);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw fileFault(chosen, error, "it is needed for the socket of PostgreSQL");
    }
  }
  ensurePrivateDirectory(chosen, owner);
  return chosen;
}
