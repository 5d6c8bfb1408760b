/** The bytes of a file -> the imports and exports of the component in it; or why it is no plugin. Pure. */
import { listed } from "../text/list.ts";
import { boundedModule, isModule } from "./bounded-module.ts";
import { BadWasm, WasmReader } from "./wasm-reader.ts";

export type ReadComponent =
  | { kind: "component"; imports: readonly string[]; exports: readonly string[] }
  /** A clause behind the file's name. */
  | { kind: "bad"; why: string };

/** The interface that a plugin exports; the one of its types may be imported, as there is no function in it. */
export const pluginInterface = "locald:plugins/plugin@0.1.0";
const typesInterface = /^locald:plugins\/types@0\.1\.\d+$/;

/** Bytes of a component: one that is written in JavaScript has an engine of 11 MiB in it. */
export const largestComponent = 16 * 1024 * 1024;

const magic = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/** Names shown in a sentence. */
const most = 6;
const deepest = 8;

/** A component that asks for nothing, and answers what is asked of plugins. */
export function readPlugin(bytes: Uint8Array): ReadComponent {
  const read = readComponent(bytes);
  if (read.kind === "bad") return read;
  const asked = read.imports.filter((name) => !typesInterface.test(name));
  if (asked.length > 0) {
    const wasi = asked.some((name) => name.startsWith("wasi:"))
      ? "; with componentize-js, build it with --disable all"
      : "";
    return bad(
      `asks for ${listed(asked, { most })}, and a plugin gets nothing from outside${wasi}`,
    );
  }
  if (!read.exports.includes(pluginInterface)) {
    const has = read.exports.length === 0 ? "nothing" : listed(read.exports, { most });
    return bad(`does not export ${pluginInterface}; it exports ${has}`);
  }
  return read;
}

export function readComponent(bytes: Uint8Array): ReadComponent {
  if (bytes.length > largestComponent) return bad("is larger than 16 MiB");
  if (isModule(bytes)) {
    return bad("is a core module and no component; wasm-tools component new makes one of it");
  }
  if (!magic.every((octet, at) => bytes[at] === octet)) return bad("is no WebAssembly component");
  try {
    return { kind: "component", ...namesIn(bytes, 0) };
  } catch (error) {
    if (error instanceof BadWasm) return bad(`cannot be run: ${error.message}`);
    throw error;
  }
}

function bad(why: string): ReadComponent {
  return { kind: "bad", why };
}

/** Component Model, Binary.md: the ids of sections. */
const sectionIds = {
  coreModule: 1,
  coreInstance: 2,
  component: 4,
  alias: 6,
  import: 10,
  export: 11,
};

type Names = { imports: readonly string[]; exports: readonly string[] };

/** Also checks every module in it, and every name that a core module has given. */
function namesIn(bytes: Uint8Array, depth: number): Names {
  if (depth > deepest) throw new BadWasm("components are nested too deep in it");
  const imports: string[] = [];
  const exports: string[] = [];
  for (const { id, body } of new WasmReader(bytes, magic.length).sections()) {
    if (id === sectionIds.coreModule) {
      const bounded = boundedModule(body.rest());
      if (bounded.kind === "bad") throw new BadWasm(bounded.why);
    } else if (id === sectionIds.component) namesIn(body.rest(), depth + 1);
    else if (id === sectionIds.coreInstance) body.each(readCoreInstance);
    else if (id === sectionIds.alias) body.each(readAlias);
    else if (id === sectionIds.import) {
      body.each((reader) => {
        imports.push(externName(reader));
        skipExternType(reader);
      });
    } else if (id === sectionIds.export) {
      body.each((reader) => {
        exports.push(externName(reader));
        skipSort(reader);
        reader.u32();
        if (reader.octet() === 1) skipExternType(reader);
      });
    }
  }
  return { imports, exports };
}

function externName(reader: WasmReader): string {
  const form = reader.octet();
  const name = reader.name();
  // A suffix of the version, in a form that is newer.
  if (form === 2) reader.name();
  return name;
}

function skipSort(reader: WasmReader): void {
  if (reader.octet() === 0) reader.octet();
}

function skipExternType(reader: WasmReader): void {
  const sort = reader.octet();
  // A core module: a second octet says so.
  if (sort === 0) reader.octet();
  // A type is bound to another one, or is a resource of its own.
  if (sort === 3 && reader.octet() === 1) return;
  if (sort === 2 && reader.octet() === 1) reader.skipNumber();
  else reader.u32();
}

function readCoreInstance(reader: WasmReader): void {
  const form = reader.octet();
  if (form === 0) reader.u32();
  reader.each((its) => {
    its.name();
    its.octet();
    its.u32();
  });
}

function readAlias(reader: WasmReader): void {
  skipSort(reader);
  const target = reader.octet();
  reader.u32();
  if (target === 2) reader.u32();
  else reader.name();
}
