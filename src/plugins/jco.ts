/** The transpiler of components, jco: which package it is in, and what of that package is needed. */

export type PinnedPackage = {
  scope: string;
  name: string;
  version: string;
  /** SHA-512 of its tarball, in base64, as npm has it in `dist.integrity`. */
  sha512: string;
  /** Bytes that are taken at most. */
  largest: number;
};

/**
 * The package says that it needs others, among them binaryen with 93 MB. Its `transpileBytes` uses them to make the
 * outcome smaller; the component that it is made of needs WASI alone, which `wasi` below is.
 */
export const jco: PinnedPackage = {
  scope: "@bytecodealliance",
  name: "jco-transpile",
  version: "0.15.0",
  sha512:
    "MFftJ81B9TtHbvgCRZQod3jfgl62YvJszxsNdfx9IVNewxlX9q7U4Wd+w6gJzw+o9IjEGWoyg/BFpb/RnaJvlA==",
  // The tarball has 2.2 MB.
  largest: 8 * 1024 * 1024,
};

/** Names in the package -> names in our folder. */
export const jcoFiles = {
  "package/vendor/js-component-bindgen-component.js": "bindgen.mjs",
  "package/vendor/js-component-bindgen-component.core.wasm":
    "js-component-bindgen-component.core.wasm",
  "package/vendor/js-component-bindgen-component.core2.wasm":
    "js-component-bindgen-component.core2.wasm",
  "package/LICENSE": "LICENSE",
} as const;

/** Each `import … from "@bytecodealliance/preview2-shim/cli"` of the first file, which imports no other package. */
export const wasiImport = /(['"])@bytecodealliance\/preview2-shim\/\w+\1/g;
export const wasiFile = "wasi.mjs";

/** All that the transpiler gets of a system: random numbers for its tables, and an output that nobody reads. */
export const wasi = `class InputStream {}
class OutputStream {
  checkWrite() { return 65536n; }
  write() {}
  blockingFlush() {}
  blockingWriteAndFlush() {}
}
class TerminalInput {}
class TerminalOutput {}
class Descriptor {}
class DirectoryEntryStream {}
export const environment = { getEnvironment: () => [] };
export const exit = { exit() { throw new Error("the transpiler has given up"); } };
export const stdin = { getStdin: () => new InputStream() };
export const stdout = { getStdout: () => new OutputStream() };
export const stderr = { getStderr: () => new OutputStream() };
export const terminalInput = { TerminalInput };
export const terminalOutput = { TerminalOutput };
export const terminalStdin = { getTerminalStdin() {} };
export const terminalStdout = { getTerminalStdout() {} };
export const terminalStderr = { getTerminalStderr() {} };
export const preopens = { getDirectories: () => [] };
export const types = { Descriptor, DirectoryEntryStream, filesystemErrorCode() {} };
export const error = { Error: class {} };
export const streams = { InputStream, OutputStream };
export const random = {
  getRandomBytes: (length) => crypto.getRandomValues(new Uint8Array(Number(length))),
};
`;

/** The options of `generate`. Modules are files of their own, and nothing is imported by name. */
export const generateOptions = {
  ...{ name: "plugin", map: [], instantiation: { tag: "async" }, base64Cutoff: 0 },
  ...{ noNodejsCompat: true, noTypescript: true, noComponentErrorWrapping: false },
  ...{ tlaCompat: false, validLiftingOptimization: false, tracing: false, multiMemory: false },
  ...{ noNamespacedExports: false },
} as const;
