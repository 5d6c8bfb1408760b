/** A path or an address, as typed -> the bytes of a component, and where they came from. */
import { lstat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { largestComponent, readPlugin } from "../../plugins/component.ts";
import { hashOf } from "../../plugins/kept-folder.ts";
import { readBeginning } from "../../system/read-text.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "../shared/failure.ts";
import { UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export type ComponentBytes = {
  bytes: Uint8Array;
  sha256: string;
  /** An absolute path, or an address without its query, in which there may be a token. */
  source: string;
  /** The last part of it, without `.wasm`. */
  name: string;
};

export type BytesOptions = {
  /** In hex, as a person has typed it. */
  sha256?: string | undefined;
};

/** Only a component that can be a plugin, as far as its bytes say. @throws UsageError, Failure */
export async function componentBytes(
  word: string,
  world: Pick<World, "cwd">,
  { sha256 }: BytesOptions = {},
): Promise<ComponentBytes> {
  const wanted = sha256?.toLowerCase();
  if (wanted !== undefined && !/^[0-9a-f]{64}$/.test(wanted)) {
    throw new UsageError(["--sha256: expected 64 hexadecimal digits, as sha256sum prints them"]);
  }
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(word) ? URL.parse(word) : undefined;
  if (url === null) {
    // One with a password may be mistyped, too.
    throw new UsageError([`${printable(word.replace(/\/\/[^/]*@/, "//…@"))} is no address`]);
  }
  const isFile = url === undefined || url.protocol === "file:";
  const source = isFile ? resolve(world.cwd, url ? pathOf(url) : word) : addressText(url);
  const bytes = isFile ? await fromFile(source) : await fromAddress(url);
  const hash = hashOf(bytes);
  const shown = printable(source);
  if (wanted !== undefined && wanted !== hash) {
    throw new Failure("failed", `${shown} has another hash than was asked for: ${hash}`);
  }
  const read = readPlugin(bytes);
  if (read.kind === "bad") throw new Failure("failed", `${shown} ${read.why}`);
  const last = (isFile ? source : url.pathname).split("/").at(-1)!;
  return { bytes, sha256: hash, source, name: last.replace(/\.(?:component\.)?wasm$/, "") };
}

/** @throws UsageError */
function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    // The address has a host, or a path that no file has.
    throw new UsageError([
      `${printable(url.href)} is no address of a file here; expected file:///<path>`,
    ]);
  }
}

/** Nothing behind a `?` is told or kept: addresses that are signed have their secret there. */
function addressText({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

async function fromFile(path: string): Promise<Uint8Array> {
  const bytes = await readBeginning(path, largestComponent + 1);
  if (bytes !== undefined) return bytes;
  const its = await lstat(path).catch(() => undefined);
  const why = its?.isDirectory()
    ? "is a folder; name the component in it, such as redis.wasm"
    : its === undefined
      ? "no such file"
      : "cannot be read";
  throw new UsageError([`${printable(path)}${its === undefined ? ":" : ""} ${why}`]);
}

/** Milliseconds without a byte. */
const patience = 30_000;
/** As browsers have it. */
const mostRedirects = 20;

/** @throws UsageError, Failure */
async function fromAddress(first: URL): Promise<Uint8Array> {
  let url = first;
  checkAddress(url);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const shown = addressText(url);
    const abort = new AbortController();
    let timer = setTimeout(() => abort.abort(), patience);
    try {
      const answer = await fetch(url.href, { redirect: "manual", signal: abort.signal });
      const location = answer.headers.get("location");
      if (answer.status >= 300 && answer.status < 400 && location !== null) {
        const next = URL.parse(location, url.href);
        if (next === null) throw new Failure("failed", `${shown} leads to no address`);
        checkAddress(next, url);
        url = next;
        continue;
      }
      if (!answer.ok) {
        throw new Failure("failed", `${shown} was answered with status ${answer.status}`);
      }
      const pieces: Uint8Array[] = [];
      let length = 0;
      for await (const piece of answer.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), patience);
        pieces.push(piece as Uint8Array);
        length += (piece as Uint8Array).length;
        if (length > largestComponent) {
          throw new Failure("failed", `${shown} is larger than 16 MiB, and is not taken`);
        }
      }
      return Buffer.concat(pieces);
    } catch (error) {
      if (error instanceof Failure || error instanceof UsageError) throw error;
      throw new Failure("failed", `${shown} ${whyNot(error as NodeJS.ErrnoException)}`);
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }
  throw new Failure(
    "failed",
    `${addressText(first)} leads from one address to the next without end`,
  );
}

function whyNot({ name, code, message }: NodeJS.ErrnoException): string {
  if (name === "AbortError") return `sent nothing for ${patience / 1000} s; try again`;
  return `cannot be reached (${code ?? message}); go online, or install it from a file`;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Whoever is on the way could give another program, and sees a password. `from`: the address that leads there; one
 * elsewhere has nothing to ask of the servers of this machine.
 */
export function checkAddress(
  { protocol, hostname, username, password, host }: URL,
  from?: URL,
): void {
  if (username !== "" || password !== "") {
    throw new UsageError([`an address with a password in it is not taken: ${host}`]);
  }
  const isHere = loopback.test(hostname);
  if (isHere && from !== undefined && !loopback.test(from.hostname)) {
    throw new UsageError([`${from.host} leads to ${host}, on this machine, which is not taken`]);
  }
  if (protocol === "https:" || (protocol === "http:" && isHere)) return;
  const help = protocol === "http:" ? "; use https" : "; a file, https and file: are";
  throw new UsageError([`${protocol}//${host} is not taken${help}`]);
}
