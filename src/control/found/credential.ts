/** The state directory -> the secret that its daemon and its clients share, created once and kept. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readPrivateFile } from "../../system/private-file.ts";
import { writeOnce } from "../../system/write-once.ts";

export type Credential =
  | { kind: "credential"; value: string }
  | { kind: "absent" }
  /** Others may have read the file, or another user owns it. */
  | { kind: "exposed" }
  /** A link, a directory, an incomplete file, anything else. */
  | { kind: "broken" }
  /** The system cannot tell now. */
  | { kind: "unknown" };

export function credentialPath(stateDirectory: string): string {
  return join(stateDirectory, "credential");
}

/** 256 bits as hexadecimal digits, and an end of line. */
const form = /^([0-9a-f]{64})\n$/;

/** For clients: nothing is created or repaired. */
export function readCredential(stateDirectory: string): Credential {
  const file = readPrivateFile(credentialPath(stateDirectory), { limit: 1_024, forbidden: 0o077 });
  if (file.kind !== "text") return file;
  const value = form.exec(file.text)?.[1];
  return value === undefined ? { kind: "broken" } : { kind: "credential", value };
}

export type Ensured = {
  value: string;
  /** For a person: why the previous credential is no longer used. */
  note: string | undefined;
};

/**
 * For the daemon: reads the credential, or creates it. A credential that others may know is replaced. Processes that
 * create it at the same time all get the same one.
 *
 * @throws Error of the file system.
 */
export async function ensureCredential(stateDirectory: string): Promise<Ensured> {
  const path = credentialPath(stateDirectory);
  const before = readCredential(stateDirectory);
  if (before.kind === "credential") return { value: before.value, note: undefined };
  if (before.kind === "unknown") throw new Error(`${path} cannot be read now`);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  const text = `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")}\n`;
  if (before.kind === "absent") await writeOnce(path, text);
  // A rename replaces a link and does not follow it.
  else await writeAtomically(path, text);
  const after = readCredential(stateDirectory);
  if (after.kind !== "credential") {
    throw new Error(`${path} is ${after.kind} as soon as it is made`);
  }
  return { value: after.value, note: notes[before.kind] };
}

const notes = {
  absent: undefined,
  exposed: "the credential could be read by others; there is a new one",
  broken: "the credential could not be read; there is a new one",
} as const;
