/** The state directory -> the record by which clients find a daemon, and back. A probe has to prove what it says. */
import { unlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { type PrivateFile, readPrivateFile } from "../../system/private-file.ts";
import type { Registration } from "./protocol.ts";

export type { Registration };

/** A record takes about 300 bytes; a longer file is no record. */
const longestRecord = 64 * 1024;

export function registrationPath(stateDirectory: string): string {
  return join(stateDirectory, "registration.json");
}

/** As it stands in the file. */
export function recordText(registration: Registration): string {
  return `${JSON.stringify(registration, undefined, 2)}\n`;
}

/** Replaces any record that is there: the last writer wins. @throws the file system's error. */
export async function writeRegistration(
  stateDirectory: string,
  registration: Registration,
): Promise<void> {
  await writeAtomically(registrationPath(stateDirectory), recordText(registration));
}

export type ReadRecord =
  | { kind: "record"; registration: Registration }
  | { kind: "absent" }
  /** `why` is a sentence for a person. */
  | { kind: "unreadable"; why: string };

/** Unreadable if it is invalid, or if others could have written it. */
export function readRecord(stateDirectory: string): ReadRecord {
  const file = recordFile(stateDirectory, 0o022);
  if (file.kind === "absent") return file;
  if (file.kind !== "text") return { kind: "unreadable", why: reasons[file.kind] };
  const registration = parseRegistration(file.text);
  if (registration === undefined)
    return { kind: "unreadable", why: "it is not as a daemon writes it" };
  return { kind: "record", registration };
}

const reasons = {
  exposed: "others may have written it",
  broken: "something else than a small file is in its place",
  unknown: "the system cannot read it now",
} as const;

/** Undefined if there is no record that can be believed. */
export async function readRegistration(stateDirectory: string): Promise<Registration | undefined> {
  const read = readRecord(stateDirectory);
  return read.kind === "record" ? read.registration : undefined;
}

/**
 * Whether this launch owns the record. `changed`: it has our id, and not our text or its mode any more; `text` is what
 * we wrote. `unknown` if the system cannot tell now.
 */
export function ownerOfRecord(
  stateDirectory: string,
  { id, text }: { id: string; text?: string | undefined },
): "ours" | "changed" | "lost" | "unknown" {
  const file = recordFile(stateDirectory, 0);
  if (file.kind === "unknown") return "unknown";
  if (file.kind !== "text" || idIn(file.text) !== id) return "lost";
  if (text !== undefined && file.text !== text) return "changed";
  return recordFile(stateDirectory, 0o077).kind === "exposed" ? "changed" : "ours";
}

/** `forbidden`: the permissions that others may not have. */
function recordFile(stateDirectory: string, forbidden: number): PrivateFile {
  return readPrivateFile(registrationPath(stateDirectory), { limit: longestRecord, forbidden });
}

/** Removes the record if this launch owns it, and leaves the record of a newer daemon. Twice is harmless. */
export async function removeRegistration(stateDirectory: string, id: string): Promise<void> {
  // Between these two lines another daemon could write its record, which we would remove. That daemon checks every
  // second, and stands down: the next client starts one.
  const owner = ownerOfRecord(stateDirectory, { id });
  if (owner !== "ours" && owner !== "changed") return;
  await unlink(registrationPath(stateDirectory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** The address in a record's `url`; undefined for anything but our three spellings of loopback. */
export function endpointOf(url: string): { address: string; port: number } | undefined {
  const [, host, digits] =
    /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):([1-9]\d{0,4})$/.exec(url) ?? [];
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  // No resolver is asked about localhost: a daemon listens on 127.0.0.1.
  return { address: host === "[::1]" ? "::1" : "127.0.0.1", port };
}

function parseRegistration(text: string): Registration | undefined {
  return registrationOf(jsonIn(text));
}

/** Also where another field is spoilt: the id alone says whose the record is. */
function idIn(text: string): unknown {
  const value = jsonIn(text);
  return typeof value === "object" && value !== null ? (value as { id?: unknown }).id : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not written by us, so not a record.
    return undefined;
  }
}

/** A value from outside -> a record, if every field is there and valid. Unknown fields are ignored. */
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

/** Short, and without control characters that a terminal would act on. */
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
