/** Faults in how the daemon comes to ports 80 and 443, and in what root is asked to do for it. */
import type { Fault } from "./fault.ts";

const asked = ["test/helper/ask-for-ports.test.ts"];
const low = ["test/daemon/low-ports.test.ts"];
const setup = ["test/cli/setup/setup.test.ts"];

export const lowPorts: readonly Fault[] = [
  {
    name: "a helper that others may write is started",
    file: "src/helper/installed.ts",
    find: "(its.mode & 0o022) === 0",
    replace: "(its.mode & 0) === 0",
    tests: asked,
  },
  {
    name: "a helper in a folder that others may write is started",
    file: "src/helper/installed.ts",
    find: "?? unsafeFolderWhy(dirname(path), options);",
    replace: "?? (dirname === undefined ? unsafeFolderWhy(path, options) : undefined);",
    tests: asked,
  },
  {
    name: "a socket of another place is taken from the helper",
    file: "src/helper/ask-for-ports.ts",
    find: "      its.address === address &&\n      its.port === port;",
    replace: "      its.address !== undefined;",
    tests: asked,
  },
  {
    name: "sockets of an answer that is wrong stay open",
    file: "src/helper/ask-for-ports.ts",
    find: "      isAnswer = false;\n      closeSync(descriptor);",
    replace: "      isAnswer = false;",
    tests: asked,
  },
  {
    name: "a helper of another version keeps the right one from being asked",
    file: "src/helper/ask-for-ports.ts",
    find: 'if (last.kind !== "version") return last;',
    replace: "return last;",
    tests: asked,
  },
  {
    name: "a socket that other machines reach is taken from the service manager",
    file: "src/daemon/low-ports.ts",
    find: "if ((loopbacks as readonly string[]).includes(address)) {",
    replace: "if ((loopbacks as readonly string[]).includes(address) || port > 0) {",
    tests: low,
  },
  {
    name: "a socket of the service manager stays beside that of the daemon before",
    file: "src/daemon/low-ports.ts",
    find: "if (its !== undefined) closeSync(its.descriptor);",
    replace: "",
    tests: low,
  },
  {
    name: "sockets that are meant for another process are taken",
    file: "src/system/passed-sockets.ts",
    find: "LISTEN_PID !== String(pid) || ",
    replace: "",
    tests: ["test/system/passed-sockets.test.ts"],
  },
  {
    name: "a file that was swapped after it was shown gets a right",
    file: "src/cli/setup/root-program.ts",
    find: "| sha256sum -c -`,",
    replace: "| sha256sum -c - || :`,",
    tests: setup,
  },
  {
    name: "lines that somebody else could have written are kept in the users file",
    file: "src/cli/setup/users-step.ts",
    find: "isTrusted ? fresh : `${file} ${fresh}`",
    replace: "isTrusted || fresh ? fresh : file",
    tests: setup,
  },
  {
    name: "a helper that other users need is removed",
    file: "src/cli/setup/root-program.ts",
    find: "(isFile(ours) || isFile(`${ours}.new`)) && !isShared",
    replace: "(isFile(ours) || isFile(`${ours}.new`))",
    tests: setup,
  },
  {
    name: "anybody sets up something for another user",
    file: "src/cli/setup/whose.ts",
    find: "if (uid !== 0 && found !== uid) {",
    replace: "if (uid < 0) {",
    tests: setup,
  },
  {
    name: "a capability with more rights counts as that of the helper",
    file: "src/system/file-capability.ts",
    find: "capability.permitted === 1n << CAP_NET_BIND_SERVICE &&",
    replace: "(capability.permitted & (1n << CAP_NET_BIND_SERVICE)) > 0n &&",
    tests: ["test/system/file-capability.test.ts"],
  },
];
