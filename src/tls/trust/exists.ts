/** A path -> whether it exists. */
import { access } from "node:fs/promises";

/** False if the path cannot be examined. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
