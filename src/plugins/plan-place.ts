/** The state directory and a project's folder -> where the plans of its services are kept. */
import { join } from "node:path";

export function plansFolder(stateDirectory: string): string {
  return join(stateDirectory, "plans");
}

/** In hex: what identifies a text, and says nothing of it. */
export function fingerprintOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

export function planRecordPath(stateDirectory: string, directory: string): string {
  return join(plansFolder(stateDirectory), `${fingerprintOf(directory).slice(0, 16)}.json`);
}
