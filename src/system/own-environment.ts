/** A process that has written over its environment -> the variables that it itself still has. Linux, 64 bits. */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";

/**
 * Programs that use the memory of their environment for a title move its variables elsewhere first, and let libc's
 * `environ` lead to them. The kernel lets a debugger of the same user read that memory, and nobody else; where it is
 * told to let nobody (Yama's ptrace_scope, on Ubuntu), there is no answer.
 *
 * @returns the variables whose names were asked for, as NUL-terminated strings, in the order of the environment.
 * Undefined if the memory cannot be read, or if this is no program with a C library that we know the ways of.
 */
export function ownEnvironment(
  pid: number,
  { root = "/proc", names }: { root?: string; names: readonly string[] },
): Buffer | undefined {
  let memory: Memory | undefined;
  try {
    const images = imagesOf(`${root}/${pid}`);
    if (images.length === 0) return undefined;
    memory = new Memory(`${root}/${pid}/mem`);
    for (const base of images) {
      const place = environAt(memory, base);
      if (place !== undefined) return variablesAt(memory, { place: memory.word(place), names });
    }
    return undefined;
  } catch {
    // Not ours to read, gone, or not what we took it for: the caller says that the variables are not known.
    return undefined;
  } finally {
    memory?.close();
  }
}

/** Octets of `maps` that are read: programs have their own image and libc's among the first hundreds of lines. */
const mostMaps = 256 * 1024;
/** Variables, and octets of one value, that are read. */
const mostVariables = 2_000;
const mostOctets = 512;

/** Where the images of the program and of its C library begin, the program's first. */
function imagesOf(folder: string): number[] {
  const program = readlinkSync(`${folder}/exe`);
  const first = new Map<string, number>();
  for (const line of readFileSync(`${folder}/maps`, "latin1").slice(0, mostMaps).split("\n")) {
    // start-end, permissions, offset, device, inode, path
    const found = /^([0-9a-f]+)-\S+ \S+ 0+ \S+ \d+ +(\/.*)$/.exec(line);
    if (found === null) continue;
    const [, start, path] = found;
    const isWanted = path === program || /\/(?:libc[.-]|ld-musl)[^/]*$/.test(path!);
    if (isWanted && !first.has(path!)) first.set(path!, Number.parseInt(start!, 16));
  }
  const own = first.get(program);
  first.delete(program);
  return [...(own === undefined ? [] : [own]), ...first.values()];
}

/** Another process's memory. Addresses of programs have 47 bits, so that a number holds them. */
class Memory {
  readonly #descriptor: number;
  readonly #eight = Buffer.alloc(8);

  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
  }

  /** @throws if there are fewer octets. */
  read(address: number, length: number): Buffer {
    const octets = Buffer.alloc(length);
    if (this.#readInto(octets, address) !== length) throw new Error("the memory ends there");
    return octets;
  }

  /** As many as there are. */
  readSome(address: number, length: number): Buffer {
    const octets = Buffer.alloc(length);
    return octets.subarray(0, this.#readInto(octets, address));
  }

  word(address: number): number {
    if (this.#readInto(this.#eight, address) !== 8) throw new Error("the memory ends there");
    return Number(this.#eight.readBigUInt64LE());
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readInto(octets: Buffer, address: number): number {
    if (!Number.isSafeInteger(address)) throw new Error("no address");
    return readSync(this.#descriptor, octets, 0, octets.length, address);
  }
}

/** <elf.h>: 64 bits, little-endian. */
const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const PT_DYNAMIC = 2;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_GNU_HASH = 0x6fff_fef5;
const headerLength = 64;
const segmentLength = 56;
const symbolLength = 24;
/** Symbols of one bucket of a hash table. */
const longestChain = 64;

const symbol = "environ";

/** The address of `environ` in the image that begins at `base`; undefined if it does not have one of its own. */
function environAt(memory: Memory, base: number): number | undefined {
  const header = memory.read(base, headerLength);
  if (!header.subarray(0, elf.length).equals(elf)) return undefined;
  const segments = memory.read(
    base + Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(56) * segmentLength,
  );
  let lowest = Number.POSITIVE_INFINITY;
  let dynamic: { at: number; length: number } | undefined;
  for (let at = 0; at < segments.length; at += segmentLength) {
    const type = segments.readUInt32LE(at);
    const address = Number(segments.readBigUInt64LE(at + 16));
    if (type === 1) lowest = Math.min(lowest, address);
    if (type !== PT_DYNAMIC) continue;
    dynamic = { at: address, length: Number(segments.readBigUInt64LE(at + 40)) };
  }
  if (dynamic === undefined || dynamic.length > 64 * 1024) return undefined;
  // A program that is not position-independent is where its addresses say.
  const moved = base - (lowest - (lowest % 4096));
  const entries = memory.read(moved + dynamic.at, dynamic.length);
  const found = new Map<number, number>();
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const value = Number(entries.readBigUInt64LE(at + 8));
    // glibc has written addresses in the place of offsets, musl has not.
    found.set(
      Number(entries.readBigUInt64LE(at)),
      moved > 0 && value < moved ? moved + value : value,
    );
  }
  const tables = [DT_GNU_HASH, DT_SYMTAB, DT_STRTAB].map((tag) => found.get(tag));
  const [hash, symbols, strings] = tables;
  if (hash === undefined || symbols === undefined || strings === undefined) return undefined;
  const offset = symbolIn(memory, { hash, symbols, strings });
  return offset === undefined ? undefined : moved + offset;
}

function symbolIn(
  memory: Memory,
  { hash, symbols, strings }: { hash: number; symbols: number; strings: number },
): number | undefined {
  let wanted = 5381;
  for (const letter of Buffer.from(symbol)) wanted = (Math.imul(wanted, 33) + letter) >>> 0;
  const head = memory.read(hash, 12);
  const buckets = head.readUInt32LE(0);
  const first = head.readUInt32LE(4);
  const bloom = head.readUInt32LE(8);
  if (buckets === 0) return undefined;
  const table = hash + 16 + bloom * 8;
  let index = memory.read(table + (wanted % buckets) * 4, 4).readUInt32LE();
  if (index < first) return undefined;
  for (let count = 0; count < longestChain; count++, index++) {
    const chained = memory.read(table + (buckets + index - first) * 4, 4).readUInt32LE();
    if ((chained | 1) >>> 0 === (wanted | 1) >>> 0) {
      const entry = memory.read(symbols + index * symbolLength, symbolLength);
      const name = memory.readSome(strings + entry.readUInt32LE(), symbol.length + 1);
      // A section of 0: it is another image's.
      if (name.toString("latin1") === `${symbol}\0` && entry.readUInt16LE(6) !== 0) {
        return Number(entry.readBigUInt64LE(8));
      }
    }
    if ((chained & 1) === 1) return undefined;
  }
  return undefined;
}

function variablesAt(
  memory: Memory,
  { place, names }: { place: number; names: readonly string[] },
): Buffer {
  const wanted = names.map((name) => `${name}=`);
  const longest = Math.max(...wanted.map(({ length }) => length));
  const found: Buffer[] = [];
  for (let at = 0; at < mostVariables; at++) {
    const address = memory.word(place + at * 8);
    if (address === 0) break;
    const start = memory.readSome(address, longest).toString("latin1");
    if (!wanted.some((name) => start.startsWith(name))) continue;
    const text = memory.readSome(address, mostOctets);
    const end = text.indexOf(0);
    if (end !== -1) found.push(text.subarray(0, end + 1));
  }
  return Buffer.concat(found);
}
