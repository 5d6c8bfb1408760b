/** Batches of lines -> a file that only its owner reads, with older ones beside it; only the writer waits for it. */
import { type FileHandle, mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { openRegular, openToAppend } from "../../system/regular-file.ts";

export type LogFileOptions = {
  /** Bytes beyond which the file is put aside. */
  limit?: number;
  /** How many there are, with the one that is written. */
  kept?: number;
};

const defaultLimit = 10 * 1024 * 1024;

export interface RotatedFile {
  /** Whole lines. @throws Error of the file system. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** At most so many bytes of the end, across files. Nothing where there is none. */
  tail(most: number): Promise<Uint8Array>;
  /** The next write opens the file again. */
  close(): Promise<void>;
}

/** One writer at a time, and one call at a time. */
export function rotatedFile(
  path: string,
  { limit = defaultLimit, kept = 3 }: LogFileOptions = {},
): RotatedFile {
  let current: { file: FileHandle; size: number } | undefined;

  const older = (number: number) => (number === 0 ? path : `${path}.${number}`);

  async function opened(): Promise<{ file: FileHandle; size: number }> {
    if (current !== undefined) return current;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await openToAppend(path);
    try {
      let { size } = await file.stat();
      if (size > 0) {
        // A daemon that was killed may have left half a line.
        const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
        if (buffer[0] !== 10) size += (await file.write("\n")).bytesWritten;
      }
      current = { file, size };
      return current;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async function close(): Promise<void> {
    const its = current;
    current = undefined;
    await its?.file.close();
  }

  async function rotate(): Promise<void> {
    await close();
    for (let number = kept - 1; number >= 1; number--) {
      await rename(older(number - 1), older(number)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }

  return {
    async write(parts) {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      let its = await opened();
      if (its.size > 0 && its.size + length > limit) {
        await rotate();
        its = await opened();
      }
      const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      for (let done = 0; done < length;) {
        const { bytesWritten } = await its.file.write(whole, done, length - done);
        done += bytesWritten;
        its.size += bytesWritten;
      }
    },
    async tail(most) {
      const found: Uint8Array[] = [];
      let wanted = most;
      for (let number = 0; number < kept && wanted > 0; number++) {
        const piece = await endOf(older(number), wanted);
        if (piece === undefined) break;
        found.unshift(piece);
        wanted -= piece.length;
      }
      return Buffer.concat(found);
    },
    close,
  };
}

/** Undefined where there is no such file, or it may not be read. */
async function endOf(path: string, most: number): Promise<Uint8Array | undefined> {
  const opened = await openRegular(path, { follow: false });
  // Earlier output is unknown then.
  if (opened.kind !== "file") return undefined;
  const { file, its } = opened;
  try {
    const { size } = its;
    const length = Math.min(size, most);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
