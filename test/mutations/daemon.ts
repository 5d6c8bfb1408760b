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
];
