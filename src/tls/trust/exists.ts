/** A path -> whether there is something. */
import { access } from "node:fs/promises";

/** False also where it cannot be looked at. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
