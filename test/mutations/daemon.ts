/** Guards of the daemon's start and stop -> how each could be lost. */
import type { Fault } from "./fault.ts";

const stops = ["test/daemon/stops.test.ts"];

export const daemon: readonly Fault[] = [
  {
    name: "a part that cannot be stopped keeps the others running",
    file: "src/daemon/stops.ts",
    find: "return stop()?.catch((error: unknown) => this.#failed(part, error));",
    replace: "return stop() ?? undefined;",
    tests: stops,
  },
  {
    name: "a part that starts while others are stopped goes on",
    file: "src/daemon/stops.ts",
    find: "if (this.#over) void this.#stop({ part, stop });",
    replace: "if (this.#over) return;",
    tests: stops,
  },
  {
    name: "parts are stopped a second time",
    file: "src/daemon/stops.ts",
    find: "this.#stopping ??= this.#unwind();",
    replace: "this.#stopping = this.#unwind();",
    tests: stops,
  },
  {
    name: "a daemon that cannot start leaves what it had started",
    file: "src/daemon/daemon.ts",
    find: "if (daemon === undefined) await stops.stop();",
    replace: "",
    tests: ["test/daemon/daemon.test.ts"],
  },
  {
    name: "a daemon that ends leaves its HTTP door open",
    file: "src/daemon/doors.ts",
    find: "await Promise.all([pages.stop(), ipc?.stop()]);",
    replace: "await ipc?.stop();",
    tests: ["test/daemon/daemon.test.ts"],
  },
  {
    name: "sudo's variable counts for whoever sets it",
    file: "src/daemon/served-users.ts",
    find: "uid === 0 && isUser ?",
    replace: "isUser ?",
    tests: ["test/daemon/served-users.test.ts"],
  },
  {
    name: "a scan that saw nothing new makes the route table anew",
    file: "src/daemon/current-routes.ts",
    find: "if (changed) this.renew();",
    replace: "this.renew();",
    tests: ["test/daemon/current-routes.test.ts"],
  },
  {
    name: "a daemon in the background that nobody can find lives on",
    file: "src/daemon/claim.ts",
    find: "if (mustBeFound) throw new Error(why, { cause: error });",
    replace: "",
    tests: ["test/daemon/daemon.test.ts"],
    only: "cannot write its record",
  },
  {
    name: "a daemon without a credential lives on in the background",
    file: "src/daemon/doors.ts",
    find: "if (mustBeFound) throw new Error(why, { cause: error });",
    replace: "",
    tests: ["test/daemon/daemon.test.ts"],
    only: "no credential",
  },
  {
    name: "a fault that passes ends a daemon in the background",
    file: "src/daemon/persistently.ts",
    find: "if (clock.now() >= end) throw error;",
    replace: "if (clock.now() >= 0) throw error;",
    tests: ["test/daemon/persistently.test.ts"],
  },
  {
    name: "a daemon in a terminal stays beside another that can be found",
    file: "src/daemon/claim.ts",
    find: "if (replaced) {",
    replace: "if (replaced && clock.now() < 0) {",
    tests: ["test/daemon/daemon.test.ts"],
    only: "another is found meanwhile",
  },
  {
    name: "a record that was changed under our id stays as it is",
    file: "src/control/found/converge.ts",
    find: 'if (owner === "changed") changed?.();',
    replace: "",
    tests: ["test/control/converge.test.ts"],
  },
  {
    name: "a record that others may write is ours all the same",
    file: "src/control/found/registration.ts",
    find: 'return recordFile(stateDirectory, 0o077).kind === "exposed" ? "changed" : "ours";',
    replace: 'return "ours";',
    tests: ["test/control/converge.test.ts"],
  },
  {
    name: "a socket that nobody may use any more stays as it is",
    file: "src/control/ipc/ipc.ts",
    find: "ours.inode === there?.inode && ours.changed === there.changed;",
    replace: "ours.inode === there?.inode;",
    tests: ["test/control/ipc.test.ts"],
  },
];
