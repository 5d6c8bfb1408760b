/** A file that is complete under another name -> the same under its own, in the place of what was there. */
import { open, rename } from "node:fs/promises";

/** Its bytes are on the disk before it has the name. @throws Error of the file system. */
export async function settleFile(made: string, path: string): Promise<void> {
  {
    await using file = await open(made, "r");
    await file.sync();
  }
  await rename(made, path);
}
