/** Guards of the daemon's doors -> how each could be lost: the gate, the credential, the socket. */
import type { Fault } from "./fault.ts";

const attacks = ["test/control/attacks.test.ts"];
const strangers = ["test/control/strangers.test.ts"];
const door = ["test/dashboard/door.test.ts"];

export const control: readonly Fault[] = [
  {
    name: "a Host that only begins like ours is served",
    file: "src/control/gate.ts",
    find: "return host === `127.0.0.1:${port}` ||",
    replace: "return host?.startsWith(`127.0.0.1:${port}`) ||",
    tests: attacks,
  },
  {
    name: "`Sec-Fetch-Site: none` counts as our own page in every mode",
    file: "src/control/gate.ts",
    find: 'return site === "none" && asked.header("sec-fetch-mode") === "navigate";',
    replace: 'return site === "none";',
    tests: door,
  },
  {
    name: "the link that signs in works for another user's browser",
    file: "src/dashboard/dashboard.ts",
    find: "if (options.ownClient(remotePort) === false)",
    replace: "if (options.ownClient(remotePort) === false && false)",
    tests: door,
  },
  {
    name: "a session may end at any time in the future",
    file: "src/dashboard/session.ts",
    find: "return right && left > 0 && left <= sessionLifetime;",
    replace: "return right && left > 0;",
    tests: door,
  },
  {
    name: "the socket's directory may be another user's",
    file: "src/control/ipc.ts",
    find: "!its.isDirectory() || its.uid !== uid || ",
    replace: "!its.isDirectory() || ",
    tests: strangers,
  },
  {
    name: "the socket holds any number of connections",
    file: "src/control/ipc.ts",
    find: "if (connections.size > mostConnections) link.abort();",
    replace: "if (connections.size > 100 * mostConnections) link.abort();",
    tests: strangers,
  },
  {
    name: "a proof of the credential is taken by any Host",
    file: "src/control/http.ts",
    find: "if (!gateLayers.host(asked, port())) return undefined;\n    const told",
    replace: "const told",
    tests: strangers,
  },
  {
    name: "a list is taken for an object without anything in it",
    file: "src/control/commands.ts",
    find: "if (Array.isArray(sent)) return",
    replace: "if (Array.isArray(sent) && sent.length > 0) return",
    tests: ["test/control/inputs.test.ts"],
  },
  {
    name: "a list is taken for a service's environment",
    file: "src/control/commands.ts",
    find: 'innermost(entries[key]!).type === "record" &&',
    replace: 'innermost(entries[key]!).type === "strict_object" &&',
    tests: ["test/control/inputs.test.ts"],
    only: "set of variables",
  },
];
