/** Guards of the daemon's doors -> how each could be lost: the gate, the credential, the socket. */
import type { Fault } from "./fault.ts";

const attacks = ["test/control/attacks.test.ts"];

export const control: readonly Fault[] = [
  {
    name: "a Host that only begins like ours is served",
    file: "src/control/gate.ts",
    find: "return host === `127.0.0.1:${port}` ||",
    replace: "return host?.startsWith(`127.0.0.1:${port}`) ||",
    tests: attacks,
  },
];
