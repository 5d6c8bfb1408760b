/** The engines that may have containers of ours -> a folder with a file for each, for those who have to remove them. */
import { readdirSync, unlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readPrivateFile } from "../../system/private-file.ts";

/** Engines of one person are a few. */
const most = 32;
const ending = ".engine";

/** Writes it before the first container is made. @throws Error of the file system. */
export async function noteEngine(folder: string, socket: string): Promise<void> {
  const path = pathOf(folder, socket);
  if (readPrivateFile(path, { limit: 4096, forbidden: 0o022 }).kind === "text") return;
  await writeAtomically(path, `${socket}\n`);
}

/** Paths of sockets. */
export function notedEngines(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // No container was ever run.
    return [];
  }
  return names
    .filter((name) => name.endsWith(ending))
    .slice(0, most)
    .flatMap((name) => {
      const read = readPrivateFile(join(folder, name), { limit: 4096, forbidden: 0o022 });
      const socket = read.kind === "text" ? read.text.trim() : "";
      return isAbsolute(socket) ? [socket] : [];
    });
}

export function forgetEngine(folder: string, socket: string): void {
  try {
    unlinkSync(pathOf(folder, socket));
  } catch {
    // Somebody else has forgotten it, or the disk is read-only: it is asked once more, which harms nobody.
  }
}

function pathOf(folder: string, socket: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(socket).digest("hex").slice(0, 16);
  return join(folder, hash + ending);
}
