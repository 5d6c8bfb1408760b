/** The state directory -> the record of the proxy that runs, if one does; and back. */
import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../system/atomic-file.ts";

/** What a running proxy tells the commands of the same person. */
export type Registration = {
  /** Tells this run apart from every other. */
  id: string;
  pid: number;
  /** Milliseconds since the Unix epoch. */
  startedAt: number;
  /** The port it accepts connections on. */
  port: number;
  /** What its http URLs have instead; absent: `port`. */
  httpPort?: number;
  /** As `httpPort`, for https. */
  httpsPort?: number;
  version: string;
  /** The domains besides `localhost` that it serves. */
  tlds: readonly string[];
};

/** A record takes about 150 bytes; what is longer than this is no record. */
const longestRecord = 64 * 1024;

export function registrationPath(stateDirectory: string): string {
  return join(stateDirectory, "registration.json");
}

/** The newest proxy takes the place of an older one's record. @throws Error of the file system. */
export async function writeRegistration(
  stateDirectory: string,
  registration: Registration,
): Promise<void> {
  await writeAtomically(
    registrationPath(stateDirectory),
    `${JSON.stringify(registration, undefined, 2)}\n`,
  );
}

/**
 * The record of a proxy that runs. Undefined where there is none, where it cannot be read or
 * understood, and where its process has ended: a proxy that was killed leaves its record.
 */
export async function readRegistration(stateDirectory: string): Promise<Registration | undefined> {
  const record = await readRecord(registrationPath(stateDirectory));
  return record !== undefined && isAlive(record.pid) ? record : undefined;
}

/** Removes the record of this run, and leaves that of a proxy which was started since. Twice is harmless. */
export async function removeRegistration(stateDirectory: string, id: string): Promise<void> {
  const path = registrationPath(stateDirectory);
  // Between these two lines another proxy could write its own; then commands fall back to the default port.
  if ((await readRecord(path))?.id !== id) return;
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function readRecord(path: string): Promise<Registration | undefined> {
  let text: string;
  try {
    const file = await open(path, "r");
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(longestRecord), 0);
      text = buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // Missing, a directory, not ours to read: nobody has told us about a proxy.
    return undefined;
  }
  return parseRegistration(text);
}

function parseRegistration(text: string): Registration | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not written by us, so it says nothing.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const {
    id,
    pid,
    startedAt,
    port,
    httpPort,
    httpsPort,
    version,
    tlds = [],
  } = value as Record<string, unknown>;
  if (!isText(id) || !isText(version)) return undefined;
  if (!isWhole(pid, 1, 0x7fff_ffff) || !isWhole(port, 1, 65_535)) return undefined;
  if (!isOptionalPort(httpPort) || !isOptionalPort(httpsPort)) return undefined;
  if (!isWhole(startedAt, 0, Number.MAX_SAFE_INTEGER)) return undefined;
  if (!Array.isArray(tlds) || !tlds.every(isText)) return undefined;
  return {
    id,
    pid,
    startedAt,
    port,
    ...(httpPort === undefined ? {} : { httpPort }),
    ...(httpsPort === undefined ? {} : { httpsPort }),
    version,
    tlds,
  };
}

/** Short and without anything that a terminal would act on. */
function isText(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,100}$/.test(value);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isOptionalPort(value: unknown): value is number | undefined {
  return value === undefined || isWhole(value, 1, 65_535);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
