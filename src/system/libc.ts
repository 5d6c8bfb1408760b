/** The signatures of C functions -> those functions, from whichever C library this system has. */
import { dlopen, type FFIFunction } from "bun:ffi";

const libraries = [
  "libc.so.6",
  "libSystem.B.dylib",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

/** Undefined if no C library can be opened. */
export function libc<const F extends Record<string, FFIFunction>>(signatures: F) {
  for (const library of libraries) {
    try {
      return dlopen(library, signatures).symbols;
    } catch {
      // Another system's name for the C library; the next one may exist here.
    }
  }
  return undefined;
}
