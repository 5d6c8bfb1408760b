/**
 * A transfer to a reader that is slow for a while and then fast, beside the memory of the proxy between. Linux, by
 * /proc.
 */
import type { ProxyProcess } from "../support/proxy-process.ts";
import type { RawEnd } from "../support/raw-end.ts";

export const mebibyte = 1_048_576;
export const size = 1_024 * mebibyte;
const allowed = 32 * mebibyte;
/** `SECONDS=5`: a first look. */
const slowSeconds = Number(process.env.SECONDS ?? 20);
const piece = Buffer.alloc(mebibyte, "0123456789abcdef");
/** Far longer than a GiB takes over loopback. */
export const patience = 600_000;

/** Sends `size` bytes as fast as they are taken. */
export async function pump(end: RawEnd): Promise<void> {
  for (let sent = 0; sent < size; sent += piece.length) {
    end.send(piece);
    await end.sent(patience);
  }
}

/**
 * Fifty times a second, lets come what 1 MB/s allows; after `slowSeconds` everything.
 * @returns false where the slow part cost 32 MiB or more.
 */
export async function readSlowly(
  reader: RawEnd,
  { count, proxy }: { count: number; proxy: ProxyProcess },
): Promise<boolean> {
  proxy.forgetPeak();
  const before = proxy.memory();
  const cost = (): string => `${((proxy.peak() - before) / mebibyte).toFixed(1)} MiB at most`;
  reader.keep = false;
  const begin = performance.now();
  const from = reader.total;
  while (performance.now() - begin < slowSeconds * 1_000) {
    const due = ((performance.now() - begin) / 1_000) * 1_000_000;
    if (reader.total - from < due) reader.resume();
    else reader.pause();
    await Bun.sleep(20);
  }
  const slow = reader.total - from;
  const within = proxy.peak() - before < allowed;
  console.log(
    `  slow: ${(slow / slowSeconds / 1e6).toFixed(2)} MB/s for ${slowSeconds} s, ${cost()}`,
  );
  reader.resume();
  const fast = performance.now();
  await reader.counted(count, patience);
  const rate = (count - slow) / 1e6 / ((performance.now() - fast) / 1_000);
  console.log(`  then fast: ${rate.toFixed(0)} MB/s, ${cost()}`);
  return within;
}
