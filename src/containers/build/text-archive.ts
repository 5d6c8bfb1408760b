/** Paths and texts -> an archive of such files. Pure. */
import { padding, tarEnd, tarHead } from "../../wire/tar-head.ts";

const encoder = new TextEncoder();

/** Folders above them are the engine's to make. Paths are relative. */
export function textArchive(files: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(files).flatMap(([path, text]) => {
    const bytes = encoder.encode(text);
    const size = bytes.length;
    const head = tarHead({ path, kind: "file", mode: 0o644, size, modified: 0 });
    return [head, bytes, padding(size)];
  });
  return new Uint8Array(Buffer.concat([...parts, tarEnd]));
}
