/** A path -> the SHA-256 of the component there, which is read no further than a component may be long. */
import { readBeginning } from "../system/read-text.ts";
import { largestComponent } from "./component.ts";
import { hashOf } from "./kept-folder.ts";

/** Undefined where there is no file that we can read, or one that is too large to be a component. Never rejects. */
export async function componentHash(path: string): Promise<string | undefined> {
  const bytes = await readBeginning(path, largestComponent + 1);
  return bytes === undefined || bytes.length > largestComponent ? undefined : hashOf(bytes);
}
