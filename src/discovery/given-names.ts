/** The text of `names.json` -> the names that a person has given, or every error in it; and back. */
import { isIP } from "node:net";
import type { Claim, Place } from "../routes/claim.ts";
import { placeWords } from "../routes/place-words.ts";
import { inForm, onlyVersioned } from "../system/state-format.ts";
import { printable } from "../text/printable.ts";
import { nameOf } from "./name.ts";

/** One name, as `localhostess name` has given it. */
export type GivenName = {
  /** A lower-case DNS name without `.localhost`. */
  name: string;
  place: Place;
  /** Milliseconds since the Unix epoch. */
  givenAt: number;
  /** The user whose socket it was then, if it was another's than ours and root's. */
  owner?: number | undefined;
};

export type ReadNames =
  { kind: "names"; names: readonly GivenName[] } | { kind: "broken"; why: string; fix?: string };

/** More than a person gives by hand. Each is looked for in every scan. */
export const mostNames = 1000;

/** Octets of a path in sockaddr_un, without the zero at its end: Linux has 108, the BSDs and macOS 104. */
export const longestSocketPath = process.platform === "linux" ? 107 : 103;

export const namesFormat = onlyVersioned;

/** The content of the file, besides its version. */
export function namesForm(names: readonly GivenName[]): object {
  const entries = names.map(({ name, place, givenAt, owner }) => ({
    name,
    ...placeForm(place),
    ...(owner === undefined ? {} : { owner }),
    given_at: new Date(givenAt).toISOString(),
  }));
  return { names: entries };
}

function placeForm(place: Place): object {
  switch (place.kind) {
    case "port":
      return {
        port: place.port,
        ...(place.address === undefined ? {} : { address: place.address }),
      };
    case "host":
      return { host: place.host, port: place.port };
    case "socket":
      return { unix: place.path };
    case "process": {
      const { pid, startedAt } = place.process;
      return { pid, started_at: new Date(startedAt).toISOString() };
    }
  }
}

export function namesIn(text: string, path: string): ReadNames {
  const broken = (why: string): ReadNames => ({ kind: "broken", why });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(printable((error as Error).message, 200));
  }
  const read = inForm(value, { path, format: namesFormat });
  if (read.kind === "newer") return { kind: "broken", why: read.why, fix: read.fix };
  const list = isObject(read.value) ? read.value.names : undefined;
  if (!Array.isArray(list)) return broken("it has no list of names");
  if (list.length > mostNames) return broken(`it has more than ${mostNames} names`);
  const names: GivenName[] = [];
  for (const [at, entry] of list.entries()) {
    const its = givenIn(entry);
    if (its === undefined) return broken(`entry ${at + 1} of names is not valid`);
    if (names.some(({ name }) => name === its.name)) return broken(`${its.name} is there twice`);
    names.push(its);
  }
  return { kind: "names", names };
}

function givenIn(entry: unknown): GivenName | undefined {
  if (!isObject(entry) || typeof entry.name !== "string") return undefined;
  const verdict = nameOf(entry.name, { hostName: "", wsl: false });
  const place = placeIn(entry);
  const givenAt = timeIn(entry.given_at);
  if (verdict.kind !== "name" || place === undefined || givenAt === undefined) return undefined;
  const { owner } = entry;
  if (owner === undefined) return { name: verdict.name, place, givenAt };
  const isUser = Number.isInteger(owner) && (owner as number) >= 0;
  return isUser ? { name: verdict.name, place, givenAt, owner: owner as number } : undefined;
}

function placeIn({
  port,
  address,
  host,
  unix,
  pid,
  started_at: started,
}: Entry): Place | undefined {
  if (typeof unix === "string") {
    const isPath = unix.startsWith("/") && !unix.includes("\0");
    return isPath && Buffer.byteLength(unix) <= longestSocketPath
      ? { kind: "socket", path: unix }
      : undefined;
  }
  if (pid !== undefined) {
    const startedAt = timeIn(started);
    return isWhole(pid, 2 ** 31) && startedAt !== undefined
      ? { kind: "process", process: { pid, startedAt } }
      : undefined;
  }
  if (!isWhole(port, 65_535)) return undefined;
  if (host !== undefined) {
    // A host that looks like a path would be dialled as one.
    const isHost = typeof host === "string" && /^[\w.:-]{1,253}$/.test(host);
    return isHost ? { kind: "host", host, port } : undefined;
  }
  if (address === undefined) return { kind: "port", port };
  const isAddress = typeof address === "string" && isIP(address) !== 0;
  return isAddress ? { kind: "port", port, address } : undefined;
}

type Entry = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Entry {
  return typeof value === "object" && value !== null;
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

function timeIn(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

export function claimOf({ name, place, owner }: GivenName): Claim {
  const because = `localhostess name gives it to ${placeWords(place)}`;
  const owners = owner === undefined ? {} : { owners: [owner] };
  return { name, source: "given", because, place, ...owners };
}

/** The names with one more: its own name and its own place are free for it. */
export function withName(names: readonly GivenName[], given: GivenName): GivenName[] {
  return [
    ...names.filter((its) => its.name !== given.name && !isSamePlace(its.place, given.place)),
    given,
  ];
}

export function isSamePlace(a: Place, b: Place): boolean {
  return Bun.deepEquals(placeForm(a), placeForm(b));
}
