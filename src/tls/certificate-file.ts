/** The path of a certificate file, chosen by a person, a project or a program -> its text. */
import { readText } from "../system/read-text.ts";

/** Bytes. All public certificate authorities together take a quarter of a MiB; those of a Java keystore, a few MiB. */
export const longestCertificateFile = 16 * 1024 * 1024;

/**
 * Undefined if there is no file. Comments need not be UTF-8. @throws Error with a sentence if the file cannot be read.
 */
export async function certificateFile(path: string): Promise<string | undefined> {
  const its = await readText(path, { longest: longestCertificateFile, lossy: true });
  if (its.kind === "text") return its.text;
  if (its.kind === "missing") return undefined;
  throw new Error(`${path} cannot be read: ${its.why}`);
}
