/** A text file of any size, and a pattern -> the first line that matches, without keeping more than a piece of it. */
import { openRegular } from "./regular-file.ts";

/** Bytes read at once; a longer line is looked at in parts of that length. */
const piece = 256 * 1024;

/** Lines are looked at as ISO 8859-1. Undefined: none, or no file. @throws what the system says while it is read. */
export async function findLine(path: string, pattern: RegExp): Promise<string | undefined> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return undefined;
  const { file } = opened;
  try {
    const bytes = Buffer.alloc(piece);
    let rest = "";
    for (;;) {
      const { bytesRead } = await file.read(bytes, 0, piece, null);
      if (bytesRead === 0) return pattern.test(rest) ? rest : undefined;
      const lines = (rest + bytes.toString("latin1", 0, bytesRead)).split("\n");
      rest = lines.pop()!.slice(-piece);
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
    }
  } finally {
    await file.close();
  }
}
