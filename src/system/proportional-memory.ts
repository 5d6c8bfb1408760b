/** Processes -> the memory that they keep together, with each shared page counted once. Linux. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

const share = /^Pss:\s+(\d+) kB$/m;

/**
 * Bytes: the sum of proportional set sizes (Linux 4.14), in which a page that n processes share counts as a nth of a
 * page. Processes that have ended count nothing. Undefined: one of them could not be asked, or this is not Linux.
 */
export async function proportionalMemory(
  pids: readonly number[],
  { root = "/proc" }: { root?: string } = {},
): Promise<number | undefined> {
  const shares = await Promise.all(pids.map(async (pid) => shareOf(`${root}/${pid}`)));
  if (shares.includes(undefined)) return undefined;
  return shares.reduce<number>((sum, its) => sum + its!, 0);
}

async function shareOf(process: string): Promise<number | undefined> {
  try {
    const found = share.exec(await readFile(`${process}/smaps_rollup`, "latin1"));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: it ended while it was asked.
    return code === "ESRCH" || (code === "ENOENT" && !existsSync(process)) ? 0 : undefined;
  }
}
