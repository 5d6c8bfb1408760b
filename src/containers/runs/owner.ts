/** A state directory -> the value of the label by which its containers are known, and where its engines are noted. */
import { join } from "node:path";

export function ownerOf(stateDirectory: string): string {
  return new Bun.CryptoHasher("sha256").update(stateDirectory).digest("hex").slice(0, 16);
}

export function engineNotesIn(stateDirectory: string): string {
  return join(stateDirectory, "engines");
}
