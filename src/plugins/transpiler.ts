/** The cache -> the folder of the transpiler, which is fetched where it is not there yet. */
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { download, Unfetched } from "../system/download.ts";
import { registryFor } from "../system/npm-registry.ts";
import { readTar } from "../wire/tar.ts";
import { shownSize } from "../text/size.ts";
import { jco, jcoFiles, type PinnedPackage, wasi, wasiFile, wasiImport } from "./jco.ts";
import { isKept, keepFolder } from "./kept-folder.ts";

export type TranspilerOptions = {
  /** Absolute: what is fetched for all projects. */
  cache: string;
  env: Readonly<Record<string, string | undefined>>;
  /** `downloading jco 0.15.0: 34 % of 2.1 MiB`. Called often. */
  onStatus?: ((text: string) => void) | undefined;
  /** Default: jco, as it is pinned. */
  pinned?: PinnedPackage;
  /** As `download` has them. */
  pauses?: readonly number[];
};

export type Transpiler =
  | { kind: "transpiler"; folder: string }
  /** A whole sentence, with what helps. */
  | { kind: "missing"; why: string };

export function transpilerFolder(cache: string): string {
  return join(cache, "plugins", `jco-${jco.version}`);
}

/** Bytes of the files in the package. */
const largest = 64 * 1024 * 1024;

/** Two at once fetch it twice, and keep one. Never rejects. */
export async function ensureTranspiler(options: TranspilerOptions): Promise<Transpiler> {
  const folder = transpilerFolder(options.cache);
  if (isKept(folder)) return { kind: "transpiler", folder };
  try {
    keepFolder(folder, filesIn(await fetched(options)));
    return { kind: "transpiler", folder };
  } catch (error) {
    return { kind: "missing", why: sentenceOf(error as Error, options) };
  }
}

async function fetched(options: TranspilerOptions): Promise<Uint8Array> {
  const { env, onStatus = () => {}, pinned = jco, pauses } = options;
  const { scope, name, version, sha512, largest: limit } = pinned;
  const doing = `downloading jco ${version}`;
  onStatus(doing);
  const registry = await registryFor({ scope, env, home: env.HOME || homedir() });
  return await download({
    url: `${registry}/${scope}/${name}/-/${name}-${version}.tgz`,
    ...{ sha512, limit, ...(pauses === undefined ? {} : { pauses }) },
    onProgress(received, total) {
      if (total === undefined) onStatus(`${doing}: ${shownSize(received)}`);
      else onStatus(`${doing}: ${Math.floor((100 * received) / total)} % of ${shownSize(total)}`);
    },
  });
}

/** The hash of the tarball is the one in our source: what is not as expected is our fault. */
function filesIn(tarball: Uint8Array): Map<string, Uint8Array> {
  const read = readTar(gunzipSync(tarball, { maxOutputLength: largest }));
  if (read.kind === "bad") throw new Error(`the package of jco cannot be unpacked: ${read.why}`);
  const files = new Map<string, Uint8Array>([[wasiFile, new TextEncoder().encode(wasi)]]);
  for (const [path, name] of Object.entries(jcoFiles)) {
    const file = read.files.find((its) => its.path === path);
    if (file === undefined) throw new Error(`the package of jco has no ${path}`);
    files.set(name, name.endsWith(".mjs") ? withOwnWasi(file.bytes) : file.bytes);
  }
  return files;
}

function withOwnWasi(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  return new TextEncoder().encode(text.replace(wasiImport, `"./${wasiFile}"`));
}

const fullDisk: readonly (string | undefined)[] = ["ENOSPC", "EDQUOT"];

function sentenceOf(error: Error & { code?: string }, { cache }: TranspilerOptions): string {
  const what = `plugins are run by jco ${jco.version}, which is fetched once (2 MiB)`;
  if (error instanceof Unfetched) {
    const help = error.passing
      ? "try again"
      : "go online, or let npm's registry setting name a registry that has it, and try again";
    return `${what}, and was not: ${error.message}; ${help}`;
  }
  if (error.code === undefined) throw error;
  const help = fullDisk.includes(error.code)
    ? "make room, and try again"
    : "let XDG_CACHE_HOME name another folder";
  return `${what}, and cannot be kept: ${cache} cannot be written (${error.code}); ${help}`;
}
