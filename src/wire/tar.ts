/** The bytes of a tar archive -> its files, each with a path that stays inside. Pure. */

export type TarFile = {
  /** Relative, with neither `..` nor an empty part. */
  path: string;
  bytes: Uint8Array;
  executable: boolean;
};

/** A symbolic link that leads to somewhere in the archive; no other link is above it. */
export type TarLink = { path: string; target: string };

export type ReadTar =
  | { kind: "files"; files: readonly TarFile[]; links: readonly TarLink[] }
  | { kind: "bad"; why: string };

/** POSIX pax: everything stands in blocks. */
const block = 512;

/** Files of an archive: PostgreSQL has a thousand. */
const most = 50_000;

const checksumAt = 148;
const checksumLength = 8;

/**
 * Devices and hard links are refused. So are symbolic links, unless the caller makes them after all files: a file that
 * is written through one would be anywhere.
 */
export function readTar(bytes: Uint8Array, { links: takesLinks = false } = {}): ReadTar {
  const files: TarFile[] = [];
  const links: TarLink[] = [];
  let at = 0;
  let longName: string | undefined;
  let longTarget: string | undefined;
  while (at + block <= bytes.length) {
    const header = bytes.subarray(at, at + block);
    // Two blocks of zeros end an archive; whatever follows the first is padding.
    if (header.every((octet) => octet === 0)) return whole(files, links);
    if (!hasChecksum(header)) return bad("a header of it is damaged");
    const size = octal(header, 124, 12);
    const start = at + block;
    if (size === undefined || start + size > bytes.length) return bad("it is cut off");
    const body = bytes.subarray(start, start + size);
    at = start + Math.ceil(size / block) * block;
    const type = String.fromCharCode(header[156]!);
    if (type === "x") {
      longName = paxValue(body, "path") ?? longName;
      longTarget = paxValue(body, "linkpath") ?? longTarget;
    } else if (type === "L") longName = textOf(body);
    else if (type === "K" && takesLinks) longTarget = textOf(body);
    else if (type === "2" && takesLinks) {
      const path = inside(longName ?? nameOf(header));
      const target = longTarget ?? textOf(header.subarray(157, 257));
      longName = longTarget = undefined;
      if (!staysInside(path) || !leadsInside(path, target)) {
        return bad(
          `a link of it would lead from ${JSON.stringify(path)} to ${JSON.stringify(target)}`,
        );
      }
      links.push({ path, target });
    } else if (type === "0" || type === "\0") {
      const path = inside(longName ?? nameOf(header));
      longName = undefined;
      if (!staysInside(path))
        return bad(`a file of it would be written to ${JSON.stringify(path)}`);
      if (files.length + links.length >= most) return bad(`it has more than ${most} files`);
      const mode = octal(header, 100, 8) ?? 0;
      files.push({ path, bytes: body, executable: (mode & 0o100) !== 0 });
    } else if (type === "5") longName = undefined;
    else if (type !== "g") return bad(`it has an entry of type ${JSON.stringify(type)}`);
  }
  return bad("it is cut off");
}

function whole(files: readonly TarFile[], links: readonly TarLink[]): ReadTar {
  const paths = new Set(links.map(({ path }) => path));
  for (const { path } of [...files, ...links]) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      if (paths.has(path.slice(0, end))) return bad(`${JSON.stringify(path)} is below a link`);
    }
  }
  return { kind: "files", files, links };
}

/** `tar -C folder .` puts `./` in front of each name. */
function inside(name: string): string {
  return name.replace(/^(?:\.\/)+/, "");
}

/** By its words alone: whatever it leads to in the end, nothing is written through it. */
function leadsInside(path: string, target: string): boolean {
  if (target === "" || target.length > 1000 || /^\/|[\0\\]/.test(target)) return false;
  const parts = path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return false;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return true;
}

function bad(why: string): ReadTar {
  return { kind: "bad", why };
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** ustar splits a long path at a slash. */
function nameOf(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100));
  const isUstar = textOf(header.subarray(257, 262)) === "ustar";
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Records such as `30 path=package/a\n`, where 30 is the length of the record. */
function paxValue(body: Uint8Array, key: string): string | undefined {
  let at = 0;
  let value: string | undefined;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = Number(new TextDecoder().decode(body.subarray(at, Math.max(at, space))));
    if (space === -1 || !Number.isInteger(length) || length <= space - at) return value;
    const record = new TextDecoder().decode(body.subarray(space + 1, at + length - 1));
    if (record.startsWith(`${key}=`)) value = record.slice(key.length + 1);
    at += length;
  }
  return value;
}

function octal(header: Uint8Array, start: number, length: number): number | undefined {
  const text = textOf(header.subarray(start, start + length)).trim();
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** The sum of a header's octets, with spaces in the place of the sum. */
function hasChecksum(header: Uint8Array): boolean {
  let sum = 0;
  for (const [at, octet] of header.entries()) {
    sum += at >= checksumAt && at < checksumAt + checksumLength ? 0x20 : octet;
  }
  return octal(header, checksumAt, checksumLength) === sum;
}

/** No absolute path, no way up, no name that some system reads as another one. */
export function staysInside(path: string): boolean {
  if (path === "" || path.length > 1000 || /[\0\\]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
