/** A command and its folder -> whether it looks as if it would say READY=1 by itself. */
import { resolve } from "node:path";
import { readBeginning } from "../../system/read-text.ts";

/** Words in programs that speak to NOTIFY_SOCKET, by hand or by a library. */
const words = /NOTIFY_SOCKET|sd[-_]?notify|systemd-notify/i;

/** Bytes of a script that are read. */
const enough = 256 * 1024;

/** Words of a command that are taken for files. */
const most = 16;

/**
 * The command itself, or the beginning of a file that it names, mentions it. A guess, which may only make somebody
 * wait: there is no way to know before it is said.
 */
export async function mayNotify(command: string, workdir: string): Promise<boolean> {
  if (words.test(command)) return true;
  const named = command.split(/[\s;&|<>()'"]+/).filter((word) => word.includes("."));
  for (const word of named.slice(0, most)) {
    const bytes = await readBeginning(resolve(workdir, word), enough);
    if (bytes !== undefined && words.test(bytes.toString("latin1"))) return true;
  }
  return false;
}
