/** Guards of the files that we believe or write -> how each could be lost. */
import type { Fault } from "./fault.ts";

export const files: readonly Fault[] = [
  {
    name: "a file of another user is believed",
    file: "src/system/private-file.ts",
    find: "if (its.uid !== (process.geteuid?.() ?? its.uid) || (its.mode & forbidden) !== 0) {",
    replace: "if ((its.mode & forbidden) !== 0) {",
    tests: ["test/system/private-file.test.ts"],
    needs: "another user",
  },
  {
    name: "a file that others may write, or read, is believed",
    file: "src/system/private-file.ts",
    find: "|| (its.mode & forbidden) !== 0) {",
    replace: "|| (its.mode & forbidden & 0o007) !== 0) {",
    tests: ["test/system/private-file.test.ts"],
  },
  {
    name: "a state directory of another user is used",
    file: "src/system/state-directory.ts",
    find: "if (uid !== undefined && its.uid !== uid) {",
    replace: "if (uid !== undefined && its.uid !== uid && its.uid === 0) {",
    tests: ["test/conformance/hostile-state.test.ts"],
    needs: "another user",
  },
  {
    name: "a state directory that others may write is used",
    file: "src/system/state-directory.ts",
    find: "if ((its.mode & 0o022) !== 0) {",
    replace: "if ((its.mode & 0o002) !== 0) {",
    tests: ["test/conformance/hostile-state.test.ts"],
    only: "is refused",
  },
  {
    name: "a link of another user to our own directory is used",
    file: "src/system/state-directory.ts",
    find: "for (const look of [lstatSync, statSync]) {",
    replace: "for (const look of [statSync]) {",
    tests: ["test/conformance/hostile-state.test.ts"],
    needs: "another user",
  },
  {
    name: "what is written for us alone is open to the mask",
    file: "src/system/atomic-file.ts",
    find: 'await open(temporary, "wx", 0o600)',
    replace: 'await open(temporary, "wx", 0o666)',
    tests: ["test/system/atomic-file.test.ts"],
  },
  {
    name: "a key that is made once is open to the mask",
    file: "src/system/write-once.ts",
    find: 'await open(temporary, "wx", 0o600)',
    replace: 'await open(temporary, "wx", 0o666)',
    tests: ["test/tls/certificate-authority.test.ts", "test/control/credential.test.ts"],
  },
  {
    name: "of many who make a key at once, the last one wins",
    file: "src/system/write-once.ts",
    find: "await link(temporary, path);",
    replace: "await unlink(path).catch(() => {});\n      await link(temporary, path);",
    tests: ["test/tls/certificate-authority.test.ts", "test/control/credential.test.ts"],
  },
  {
    name: "a service takes its supervisor's sockets for its own",
    file: "src/supervisor/service/environment.ts",
    find: "if (value !== undefined && !foreign.includes(name)) env[name] = value;",
    replace: "if (value !== undefined) env[name] = value;",
    tests: ["test/supervisor/environment.test.ts"],
  },
  {
    name: "a loop of links keeps every other file from being watched",
    file: "src/system/file-fingerprint.ts",
    find: '    // Reading the file will report why this fails.\n    return "";',
    replace: "    throw new Error(path);",
    tests: ["test/supervisor/watch.test.ts"],
  },
  {
    name: "a link to a folder is watched into",
    file: "src/supervisor/project/watch.ts",
    find: "    return lstatSync(path).isDirectory();",
    replace: "    return lstatSync(path).isDirectory() || lstatSync(path).isSymbolicLink();",
    tests: ["test/supervisor/watch.test.ts"],
  },
  {
    name: "init --force writes where a link in its place leads",
    file: "src/cli/projects/init.ts",
    find: "await writeAtomically(path, text, {",
    replace:
      'await writeAtomically(await (await import("node:fs/promises")).realpath(path), text, {',
    tests: ["test/cli/init.test.ts"],
  },
];
