/** The bytes of a tar archive, and a filter -> its files, each with a path that stays inside. Pure. */

export type TarFile = {
  /** Relative, with neither `..` nor an empty part. */
  path: string;
  bytes: Uint8Array;
  executable: boolean;
};

export type ReadTar = { kind: "files"; files: readonly TarFile[] } | { kind: "bad"; why: string };

/** POSIX pax: everything stands in blocks. */
const block = 512;

/** Files of an archive: PostgreSQL has a thousand. */
const most = 50_000;

const checksumAt = 148;
const checksumLength = 8;

/** Links and devices are refused: nothing that we fetch has one, and a link leads anywhere. */
export function readTar(bytes: Uint8Array): ReadTar {
  const files: TarFile[] = [];
  let at = 0;
  let longName: string | undefined;
  while (at + block <= bytes.length) {
    const header = bytes.subarray(at, at + block);
    // Two blocks of zeros end an archive; whatever follows the first is padding.
    if (header.every((octet) => octet === 0)) return { kind: "files", files };
    if (!hasChecksum(header)) return bad("a header of it is damaged");
    const size = octal(header, 124, 12);
    const start = at + block;
    if (size === undefined || start + size > bytes.length) return bad("it is cut off");
    const body = bytes.subarray(start, start + size);
    at = start + Math.ceil(size / block) * block;
    const type = String.fromCharCode(header[156]!);
    if (type === "x") longName = paxPath(body) ?? longName;
    else if (type === "L") longName = textOf(body);
    else if (type === "0" || type === "\0") {
      const path = longName ?? nameOf(header);
      longName = undefined;
      if (!staysInside(path))
        return bad(`a file of it would be written to ${JSON.stringify(path)}`);
      if (files.length >= most) return bad(`it has more than ${most} files`);
      const mode = octal(header, 100, 8) ?? 0;
      files.push({ path, bytes: body, executable: (mode & 0o100) !== 0 });
    } else if (type === "5") longName = undefined;
    else if (type !== "g") return bad(`it has an entry of type ${JSON.stringify(type)}`);
  }
  return bad("it is cut off");
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
function paxPath(body: Uint8Array): string | undefined {
  let at = 0;
  let path: string | undefined;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = Number(new TextDecoder().decode(body.subarray(at, Math.max(at, space))));
    if (space === -1 || !Number.isInteger(length) || length <= space - at) return path;
    const record = new TextDecoder().decode(body.subarray(space + 1, at + length - 1));
    if (record.startsWith("path=")) path = record.slice(5);
    at += length;
  }
  return path;
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
