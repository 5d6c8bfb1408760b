/** Values of variables that are not UTF-8 -> texts that keep every byte, and back into a program's environment. */
import { CString, toArrayBuffer } from "bun:ffi";
import { libc } from "./libc.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Bun reads each byte of a variable that is not UTF-8 as U+FFFD. Such a byte becomes a lone surrogate instead, U+DC80
 * to U+DCFF, as in Python's PEP 383: JSON carries it, and no other text has it.
 */
export function withBytes(env: Environment): Environment {
  const damaged = Object.keys(env).filter((name) => env[name]!.includes("\uFFFD"));
  if (damaged.length === 0) return env;
  const read = bytesOfVariable();
  const mended = damaged.flatMap((name): [string, string][] => {
    const bytes = read(name);
    return bytes === undefined ? [] : [[name, textOf(bytes)]];
  });
  return { ...env, ...Object.fromEntries(mended) };
}

/** Bytes -> a text with every byte in it. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  while (at < bytes.length) {
    const length = lengthOf(bytes[at]!);
    try {
      text += decoder.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      // This byte begins no character; the next one may.
      text += String.fromCharCode(0xdc00 + bytes[at]!);
      at += 1;
    }
  }
  return text;
}

/** Octets of the UTF-8 sequence that begins so. RFC 3629 section 3. */
function lengthOf(first: number): number {
  if (first < 0xc2) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** A lone surrogate: with `u`, those of a pair are no characters of their own. */
const kept = /[\uDC80-\uDCFF]/u;
const keptOrText = /([\uDC80-\uDCFF])|[^\uDC80-\uDCFF]+/gu;

/** The inverse. */
export function bytesOf(text: string): Uint8Array {
  const parts = [...text.matchAll(keptOrText)].map(([part, byte]) =>
    byte === undefined ? Buffer.from(part) : Buffer.from([byte.charCodeAt(0) & 0xff]),
  );
  return Buffer.concat(parts);
}

export type Command = { argv: string[]; env: Record<string, string> };

/** Bun passes no bytes on. A shell decodes the variables that have some, and becomes the program. */
export function byteExact({ argv, env }: Command): Command {
  // Other names cannot be assigned by a shell.
  const names = Object.keys(env).filter((name) => kept.test(env[name]!) && isWord.test(name));
  if (names.length === 0) return { argv, env };
  const written = Object.fromEntries(names.map((name) => [name, octal(bytesOf(env[name]!))]));
  // A shell drops the newlines at the end of what it substitutes, so that a dot stands there.
  const decode = names.map((name) => `${name}=$(printf %b. "$${name}"); ${name}=\${${name}%.}\n`);
  const script = `${decode.join("")}exec "$@"`;
  return { argv: ["/bin/sh", "-c", script, "sh", ...argv], env: { ...env, ...written } };
}

const isWord = /^[A-Za-z_]\w*$/;

/** The form that `printf %b` reads, of letters that no locale and no shell minds. */
function octal(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    text += /[\w./:-]/.test(letter) ? letter : `\\0${byte.toString(8).padStart(3, "0")}`;
  }
  return text;
}

/** getenv(3). */
function bytesOfVariable(): (name: string) => Uint8Array | undefined {
  const calls = libc({ getenv: { args: ["cstring"], returns: "ptr" } });
  return (name) => {
    const found = calls?.getenv(Buffer.from(`${name}\0`));
    if (!found) return undefined;
    // Its length is not known otherwise.
    const { byteLength } = new CString(found) as unknown as { byteLength: number };
    return new Uint8Array(toArrayBuffer(found, 0, byteLength)).slice();
  };
}
