/** A core module -> the same one, whose memory and tables cannot grow beyond our limits; or why not. Pure. */
import { BadWasm, leb, WasmReader } from "./wasm-reader.ts";

/** 64 MiB, in the pages of WebAssembly. */
export const mostPages = 1024;
const pageSize = 64 * 1024;

/** Entries of a table: SpiderMonkey, which runs plugins that are written in JavaScript, has 20,000 functions. */
const mostEntries = 100_000;
const mostTables = 16;

export type Bounded =
  | {
      kind: "bounded";
      bytes: Uint8Array;
      /** The module has a memory of its own. */
      hasMemory: boolean;
    }
  | { kind: "bad"; why: string };

const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export function isModule(bytes: Uint8Array): boolean {
  return magic.every((octet, at) => bytes[at] === octet);
}

const sectionIds = { import: 2, table: 4, memory: 5, export: 7 } as const;

/** Bits of limits: Core Specification 3.0, section 5.3.17, and the proposals for threads and for custom pages. */
const flags = { maximum: 1, shared: 2, wide: 4, pageSize: 8 } as const;

export function boundedModule(bytes: Uint8Array): Bounded {
  if (!isModule(bytes)) return { kind: "bad", why: "a module in it is none of WebAssembly 1" };
  try {
    const parts = [bytes.subarray(0, magic.length)];
    let hasMemory = false;
    for (const { id, body, whole } of new WasmReader(bytes, magic.length).sections()) {
      if (id === sectionIds.import) checkImports(body);
      if (id === sectionIds.export) checkExports(body);
      if (id === sectionIds.memory) {
        const memories = cappedMemories(body);
        hasMemory = memories.count > 0;
        parts.push(section(id, memories.octets));
      } else if (id === sectionIds.table) parts.push(section(id, cappedTables(body)));
      else parts.push(whole);
    }
    return { kind: "bounded", bytes: joined(parts), hasMemory };
  } catch (error) {
    if (error instanceof BadWasm) return { kind: "bad", why: error.message };
    throw error;
  }
}

function section(id: number, octets: readonly number[]): Uint8Array {
  return new Uint8Array([id, ...leb(octets.length), ...octets]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, its) => sum + its.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

type Limits = { least: number; most: number | undefined };

function limitsIn(reader: WasmReader, what: "memory" | "table"): Limits {
  const bits = reader.octet();
  if (bits & flags.shared) throw new BadWasm(`it has a ${what} that threads share`);
  if (bits & flags.wide) throw new BadWasm(`it has a ${what} of 64 bits`);
  if (bits > flags.maximum) throw new BadWasm(`it has a ${what} of an unknown kind`);
  const least = reader.u32();
  return { least, most: bits & flags.maximum ? reader.u32() : undefined };
}

/** `most` of ours, where the module has none or a larger one. */
function cappedLimits({ least, most }: Limits, limit: number): number[] {
  return [flags.maximum, ...leb(least), ...leb(Math.min(most ?? limit, limit))];
}

function cappedMemories(body: WasmReader): { count: number; octets: number[] } {
  const count = body.u32();
  if (count > 1) throw new BadWasm("it has a module with more than one memory");
  if (count === 0) return { count, octets: leb(0) };
  const limits = limitsIn(body, "memory");
  if (limits.least > mostPages) {
    const asked = Math.round((limits.least * pageSize) / 2 ** 20);
    throw new BadWasm(`it asks for ${asked} MiB of memory at once; a plugin may have 64 MiB`);
  }
  return { count, octets: [...leb(1), ...cappedLimits(limits, mostPages)] };
}

function cappedTables(body: WasmReader): number[] {
  const count = body.u32();
  if (count > mostTables) throw new BadWasm(`it has a module with more than ${mostTables} tables`);
  const octets = leb(count);
  for (let left = count; left > 0; left--) {
    const type = referenceType(body);
    const limits = limitsIn(body, "table");
    if (limits.least > mostEntries) {
      throw new BadWasm(
        `it asks for a table of ${limits.least} entries; it may have ${mostEntries}`,
      );
    }
    octets.push(type, ...cappedLimits(limits, mostEntries));
  }
  return octets;
}

const references = { functions: 0x70, externals: 0x6f } as const;

/** Only those of WebAssembly 2: components can pass no other ones. */
function referenceType(reader: WasmReader): number {
  const type = reader.octet();
  if (type !== references.functions && type !== references.externals) {
    throw new BadWasm("it has a table of an unknown kind");
  }
  return type;
}

/** A memory or a table that is imported is another module's of the same component, which is bounded where it is. */
function checkImports(body: WasmReader): void {
  body.each((reader) => {
    reader.name();
    reader.name();
    const kind = reader.octet();
    if (kind === 0) reader.u32();
    else if (kind === 1) {
      referenceType(reader);
      limitsIn(reader, "table");
    } else if (kind === 2) limitsIn(reader, "memory");
    else if (kind === 3) {
      if (reader.octet() < 0x6f) throw new BadWasm("it imports a global of an unknown kind");
      reader.octet();
    } else if (kind === 4) {
      reader.octet();
      reader.u32();
    } else throw new BadWasm("it imports what is of an unknown kind");
  });
}

function checkExports(body: WasmReader): void {
  body.each((reader) => {
    reader.name();
    reader.octet();
    reader.u32();
  });
}
