/** The state directory -> the folder below which stores keep their data, where their servers get to it. */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { reachableByOthers } from "../system/reachable.ts";

export type StoresFolderOptions = {
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  uid: number;
};

/** The data of root's stores, whose servers run as nobody, where they could not get to root's own folder. */
const rootFolder = "/var/lib/localhostess";

/** `LOCALHOSTESS_STORES_DIR` is for another disk: daemons with other state directories have their own folders there. */
export function storesFolder(
  stateDirectory: string,
  { env, platform, uid }: StoresFolderOptions,
): string {
  const hash = new Bun.CryptoHasher("sha256").update(stateDirectory).digest("hex").slice(0, 16);
  const { LOCALHOSTESS_STORES_DIR: chosen } = env;
  if (chosen?.startsWith("/")) return join(chosen, hash);
  const own = join(stateDirectory, "stores");
  const isHidden = uid === 0 && platform === "linux" && !reachableByOthers(stateDirectory);
  return isHidden ? join(rootFolder, hash) : own;
}

/** With all that is missing above it: this user's alone, but that root's lets others through to what is theirs. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  const mode = process.geteuid?.() === 0 ? 0o711 : 0o700;
  mkdirSync(path, { mode });
  // Whatever the umask is.
  chmodSync(path, mode);
}
