/** A path -> the SHA-256 of the regular file there, as sha256sum(1) prints it. */
import { createHash } from "node:crypto";
import { openRegular } from "./regular-file.ts";

/** Undefined where there is no regular file that we can read. */
export async function fileHash(path: string): Promise<string | undefined> {
  const opened = await openRegular(path, { follow: true });
  if (opened.kind !== "file") return undefined;
  try {
    return createHash("sha256")
      .update(await opened.file.readFile())
      .digest("hex");
  } catch {
    // A file that cannot be read has no hash that we know.
    return undefined;
  } finally {
    await opened.file.close();
  }
}
