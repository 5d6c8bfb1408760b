/** A command and its folder -> whether it looks as if it would say READY=1 by itself. */
import { open } from "node:fs/promises";
import { resolve } from "node:path";

/** What programs that speak to NOTIFY_SOCKET name, by hand or by a library. */
const words = /NOTIFY_SOCKET|sd[-_]?notify|systemd-notify/i;

/** Bytes of a script that are read. */
const enough = 256 * 1024;

/** Words of a command that are taken for files. */
const most = 16;

/**
 * The command itself, or the beginning of a file that it names, mentions it. A guess, which may only make somebody wait: there
 * is no way to know before it is said.
 */
export async function mayNotify(command: string, workdir: string): Promise<boolean> {
  if (words.test(command)) return true;
  const named = command.split(/[\s;&|<>()'"]+/).filter((word) => word.includes("."));
  for (const word of named.slice(0, most)) {
    if (words.test(await beginningOf(resolve(workdir, word)))) return true;
  }
  return false;
}

async function beginningOf(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      if (!(await file.stat()).isFile()) return "";
      const bytes = Buffer.alloc(enough);
      const { bytesRead } = await file.read(bytes, 0, enough, 0);
      return bytes.toString("latin1", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // No file of that name, or not for us: nothing is known.
    return "";
  }
}
