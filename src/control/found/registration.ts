/** The state directory -> the record by which a daemon is found, and back. What it says is to be proved by a probe. */
import { unlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { type PrivateFile, readPrivateFile } from "../../system/private-file.ts";
import type { Registration } from "./protocol.ts";

export type { Registration };

/** A record takes about 300 bytes; what is longer than this is no record. */
const longestRecord = 64 * 1024;

export function registrationPath(stateDirectory: string): string {
  return join(stateDirectory, "registration.json");
}

/** Takes the place of whatever record there is: the last writer wins. @throws Error of the file system. */
export async function writeRegistration(
  stateDirectory: string,
  registration: Registration,
): Promise<void> {
  await writeAtomically(
    registrationPath(stateDirectory),
    `${JSON.stringify(registration, undefined, 2)}\n`,
  );
}

/** Undefined where there is none, where it cannot be read or understood, and where others could have written it. */
export async function readRegistration(stateDirectory: string): Promise<Registration | undefined> {
  const file = readRecord(stateDirectory);
  return file.kind === "text" ? parseRegistration(file.text) : undefined;
}

/** Whose the record is; `unknown` where the system cannot tell now. */
export function ownerOfRecord(stateDirectory: string, id: string): "ours" | "lost" | "unknown" {
  const file = readRecord(stateDirectory);
  if (file.kind === "unknown") return "unknown";
  return file.kind === "text" && parseRegistration(file.text)?.id === id ? "ours" : "lost";
}

function readRecord(stateDirectory: string): PrivateFile {
  const options = { limit: longestRecord, forbidden: 0o022 };
  return readPrivateFile(registrationPath(stateDirectory), options);
}

/** Removes the record of this launch, and leaves that of a daemon which was started since. Twice is harmless. */
export async function removeRegistration(stateDirectory: string, id: string): Promise<void> {
  // Between these two lines another daemon could write its own. It looks every second whether it is
  // there, and stands down where it is not: the next client starts one.
  if ((await readRegistration(stateDirectory))?.id !== id) return;
  await unlink(registrationPath(stateDirectory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** The address that a record's `url` leads to; undefined for any but our three spellings of loopback. */
export function endpointOf(url: string): { address: string; port: number } | undefined {
  const [, host, digits] =
    /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):([1-9]\d{0,4})$/.exec(url) ?? [];
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  // What a resolver has for localhost is not asked: a daemon listens on 127.0.0.1.
  return { address: host === "[::1]" ? "::1" : "127.0.0.1", port };
}

function parseRegistration(text: string): Registration | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not written by us, so it says nothing.
    return undefined;
  }
  return registrationOf(value);
}

/** A value from outside -> a record, if every field of one is there and right; others are passed over. */
export function registrationOf(value: unknown): Registration | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const its = value as Record<string, unknown>;
  const { id, version, url, pid, protocol, startedAt, socket } = its;
  const { port, httpPort, httpsPort, tlds = [] } = its;
  if (!isWord(id) || !isWord(version) || !isWord(protocol)) return undefined;
  if (typeof url !== "string" || endpointOf(url) === undefined) return undefined;
  if (!isWhole(pid, 1, 0x7fff_ffff) || !isWhole(port, 1, 65_535)) return undefined;
  if (!isWhole(startedAt, 0, Number.MAX_SAFE_INTEGER)) return undefined;
  if (!isPath(socket)) return undefined;
  if (!Array.isArray(tlds) || !tlds.every(isWord)) return undefined;
  const record: Registration = { id, version, url, pid, protocol, startedAt, socket, port, tlds };
  for (const [name, its] of Object.entries({ httpPort, httpsPort })) {
    if (its === undefined) continue;
    if (!isWhole(its, 1, 65_535)) return undefined;
    record[name as "httpPort" | "httpsPort"] = its;
  }
  return record;
}

/** Short and without anything that a terminal would act on. */
function isWord(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,100}$/.test(value);
}

/** PATH_MAX is 4,096 on Linux and less elsewhere. */
function isPath(value: unknown): value is string {
  return (
    typeof value === "string" &&
    isAbsolute(value) &&
    value.length <= 4_096 &&
    !/[\x00-\x1f\x7f]/.test(value)
  );
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
