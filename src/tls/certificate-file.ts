/** The path of certificates, which a person, a project or a program has chosen -> the text of the file there. */
import { readText } from "../system/read-text.ts";

/** Bytes. All public authorities together have a quarter of a MiB; a Java keystore's, a few. */
export const longestCertificateFile = 16 * 1024 * 1024;

/** Undefined where there is none. Comments need not be UTF-8. @throws Error with a sentence, where it is no file to read. */
export async function certificateFile(path: string): Promise<string | undefined> {
  const its = await readText(path, { longest: longestCertificateFile, lossy: true });
  if (its.kind === "text") return its.text;
  if (its.kind === "missing") return undefined;
  throw new Error(`${path} cannot be read: ${its.why}`);
}
