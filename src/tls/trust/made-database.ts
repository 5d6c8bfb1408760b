/** An NSS database that we have made -> a note in it, by which it goes again once nothing of anybody else is in it. */
import { rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readText } from "../../system/read-text.ts";

const noteName = "made-by-localhostess";
/** All that `certutil -N` makes, and the note. */
const files = ["cert9.db", "key4.db", "pkcs11.txt", noteName] as const;

/** `first`: the topmost folder that was made for it, or undefined where all were there. */
export async function noteMade(directory: string, first: string | undefined): Promise<void> {
  await writeFile(join(directory, noteName), `${first ?? ""}\n`, { mode: 0o600 });
}

/** Undefined: somebody else has made it. */
export async function firstMade(directory: string): Promise<{ first: string } | undefined> {
  const its = await readText(join(directory, noteName), { longest: 4096 });
  return its.kind === "text" ? { first: its.text.trimEnd() } : undefined;
}

/** Folders with anything else in them stay. */
export async function removeMade(directory: string, first: string): Promise<void> {
  for (const name of files) {
    await unlink(join(directory, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  if (first === "" || !`${directory}/`.startsWith(`${first}/`)) return;
  for (let at = directory; ; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Somebody else has something in it by now, which is a reason to keep it.
      return;
    }
    if (at === first) return;
  }
}
