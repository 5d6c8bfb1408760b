/** Faults of a daemon that takes back what it gave to one that fails, and of the one on trial. */
import type { Fault } from "./fault.ts";

const over = "src/control/found/handing-over.ts";
const overTests = ["test/control/handing-over.test.ts"];
const returned = "src/supervisor/returned.ts";
const returnedTests = ["test/supervisor/returned.test.ts"];
const daemonTests = ["test/daemon/handover.test.ts"];
const wholeTests = ["test/e2e/give-back.test.ts"];

export const givingBack: readonly Fault[] = [
  {
    name: "a daemon that fails on trial is let go",
    file: over,
    find: 'ended: ["come back", "serving"],',
    replace: 'ended: ["let go", "left"],',
    tests: overTests,
  },
  {
    name: "a daemon that says nothing on trial passes it",
    file: over,
    find: "if (now - since >= trial && answers) this.#stays();",
    replace: "if (now - since >= trial) this.#stays();",
    tests: overTests,
  },
  {
    name: "a daemon that is merely slow is ended",
    file: over,
    find: "export const longestSilence = 20_000;",
    replace: "export const longestSilence = 2_000;",
    tests: overTests,
  },
  {
    name: "a daemon that was told to end counts as one that failed",
    file: over,
    find: "if (released === true) this.#stays();",
    replace: "",
    tests: overTests,
  },
  {
    name: "two daemons supervise, where one hangs and cannot be ended",
    file: over,
    find: "if (!this.#options.endProcess(pid)) this.#stays();",
    replace: "this.#options.endProcess(pid);",
    tests: overTests,
  },
  {
    name: "a daemon is on trial where services have ended already",
    file: over,
    find: "trial > 0 && its.services === true && isNamed(its.trial)",
    replace: "trial > 0 && isNamed(its.trial)",
    tests: overTests,
  },
  {
    name: "descriptors that were kept for a way back stay open",
    file: "src/supervisor/handing.ts",
    find: "for (const { descriptors } of this.#copies) for (const one of descriptors) closeSync(one);",
    replace: "",
    tests: ["test/supervisor/handing.test.ts"],
  },
  {
    name: "our sockets are not kept while another daemon is on trial",
    file: "src/daemon/handing-over.ts",
    find: "made.push({ place, descriptor: duplicate(descriptor) });",
    replace: "made.push({ place, descriptor });",
    tests: daemonTests,
  },
  {
    name: "a daemon that is told to end waits for the trial of the next one",
    file: "src/daemon/daemon.ts",
    find: "over.conversations.settle();",
    replace: "",
    tests: daemonTests,
  },
  {
    name: "a service that was ready is not, once it has come back",
    file: returned,
    find: 'phase: state as Lifecycle["phase"],\n    why: now.why,\n    restarts: now.restarts,\n    life: {',
    replace: "why: now.why,\n    restarts: now.restarts,\n    life: {",
    tests: returnedTests,
  },
  {
    name: "a service that was stopped by the daemon that failed comes back",
    file: returned,
    find: 'if (kept === undefined || kept.unwanted.includes(name)) return { state: "unwanted" };',
    replace: "",
    tests: returnedTests,
  },
  {
    name: "a process of the daemon that failed is taken for ours",
    file: returned,
    find: "life.pid !== now.pid || ",
    replace: "",
    tests: returnedTests,
  },
  {
    name: "a half line is written twice",
    file: returned,
    find: 'return { ...service, lifecycle: went, rest: { stdout: "", stderr: "" } };',
    replace: "return { ...service, lifecycle: went };",
    tests: returnedTests,
  },
  {
    name: "a daemon that a person stops is not told apart from one that fails",
    file: "src/daemon/daemon.ts",
    find: "projects.release();",
    replace: "",
    tests: wholeTests,
  },
  {
    name: "ends of our own processes are not seen any more, once services came back",
    file: "src/supervisor/all-projects.ts",
    find: "        machine?.adopted.told(pid, ending);\n        this.#left",
    replace: "        this.#left",
    tests: wholeTests,
  },
  {
    name: "a daemon that was too busy to answer at first loses its port to the next one",
    file: "src/control/found/claim-port.ts",
    find: "const alone = isSilent ? patienceWhileSilent : patience;",
    replace: "const alone = isSilent ? patience : patience;",
    tests: ["test/control/claim-port.test.ts"],
  },
  {
    name: "a daemon of another protocol is not asked for its sockets",
    file: "src/control/found/claim-port.ts",
    find: "const inherited = await inherit(found);",
    replace: 'const inherited = found.kind === "other-protocol" ? "shells" : await inherit(found);',
    tests: ["test/control/claim-port.test.ts"],
  },
  {
    name: "a download goes through the proxy that is about to be replaced",
    file: "src/cli/install/without-own-proxy.ts",
    find: "return isLocal(url.hostname) && ports.includes(port);",
    replace: "return false;",
    tests: ["test/cli/installed-by.test.ts"],
  },
];
