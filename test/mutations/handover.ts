/** Faults in what a daemon gives to the one that replaces it, and in the end of what stays behind. */
import type { Fault } from "./fault.ts";

const found = "src/control/found";
const daemons = ["test/daemon/handover.test.ts"];

export const handover: readonly Fault[] = [
  {
    name: "two daemons replace the same one at once",
    file: `${found}/handing-over.ts`,
    find: 'if (this.#step("asked") === "say busy") return undefined;',
    replace: 'this.#step("asked");',
    tests: ["test/control/handing-over.test.ts"],
  },
  {
    name: "a daemon that says nothing more keeps the one before from going on",
    file: `${found}/handing-over.ts`,
    find: "this.#cancel = clock.after(Math.min(patience, left), () => to.end());",
    replace: "void [left, to];",
    tests: ["test/control/handing-over.test.ts"],
  },
  {
    name: "a daemon that asks for ever keeps the one before from going on",
    file: `${found}/handing-over.ts`,
    find: "clock.after(Math.min(patience, left), ",
    replace: "clock.after(Math.max(patience, left * 0), ",
    tests: ["test/control/handing-over.test.ts"],
  },
  {
    name: "descriptors are sent with an answer of any length",
    file: `${found}/handing-over.ts`,
    find: "return Buffer.byteLength(JSON.stringify(all)) < mostBytes ? [all, descriptors] : undefined;",
    replace: "return [all, descriptors];",
    tests: ["test/control/handing-over.test.ts"],
  },
  {
    name: "an answer counts although descriptors are missing",
    file: `${found}/descriptor-lines.ts`,
    find: "if (count !== this.#descriptors.length) {",
    replace: "if (Number.isNaN(count)) {",
    tests: ["test/control/descriptor-lines.test.ts"],
  },
  {
    name: "descriptors that the kernel has kept back are not missed",
    file: "src/system/descriptors.ts",
    find: "if ((view.getInt32(its.flagsAt, true) & its.MSG_CTRUNC) !== 0) {",
    replace: "if (count < 0) {",
    tests: ["test/system/descriptors.test.ts"],
  },
  {
    name: "another program inherits descriptors that were received",
    file: "src/system/descriptors.ts",
    find: "receiving: 0x40 | 0x4000_0000,",
    replace: "receiving: 0x40,",
    tests: ["test/system/descriptors.test.ts"],
  },
  {
    name: "a request on its way to a connection that parts is lost",
    file: "src/proxy/listener/listener.ts",
    find: 'if (calls.peek(connection.link.descriptor) !== "spoke") connection.part();',
    replace: "connection.part();",
    tests: ["test/proxy/leave.test.ts"],
  },
  {
    name: "a connection that was idle for long parts at once",
    file: "src/proxy/listener/listener.ts",
    find: "if (seconds - leftAt < partingSeconds) return;",
    replace: "",
    tests: ["test/proxy/leave.test.ts"],
  },
  {
    name: "an answer that promised to keep its connection is the last one",
    file: "src/proxy/client/connection.ts",
    find: "if (this.#state === At.idle && this.shared.stopping()) this.linger();",
    replace: "if (this.#state === At.idle && this.shared.draining()) this.linger();",
    tests: ["test/proxy/leave.test.ts"],
  },
  {
    name: "streams that are opened while GOAWAY is on its way are not answered",
    file: "src/proxy/h2/session.ts",
    find: "    this.#goAway(stopping, anyStream);",
    replace: "    this.drain();",
    tests: ["test/proxy/h2-session.test.ts"],
  },
  {
    name: "a daemon that fails removes the socket that it shares",
    file: "src/control/ipc/ipc.ts",
    find: "if (isOurs && !shared) unlinkSync(path);",
    replace: "if (isOurs) unlinkSync(path);",
    tests: daemons,
  },
  {
    name: "the conversation of a handover ends like any other stream",
    file: "src/control/ipc/ipc-request.ts",
    find: "  leave(): void {\n    if (this.handsOver) return;",
    replace: "  leave(): void {",
    tests: daemons,
  },
  {
    name: "a third daemon's record is written over",
    file: "src/daemon/claim.ts",
    find: "if (there === undefined || there === successor) {",
    replace: "{",
    tests: daemons,
  },
  {
    name: "a daemon stands down before the next one has its sockets",
    file: "src/daemon/claim.ts",
    find: "pause: () => cancel(),",
    replace: "pause() {},",
    tests: daemons,
  },
  {
    name: "a picked port of the daemon before is picked again",
    file: "src/daemon/proxy-at.ts",
    find: "port: its.port === 0 ? (before.portOf(its.scheme) ?? 0) : its.port,",
    replace: "port: its.port,",
    tests: daemons,
  },
  {
    name: "a kept connection to the API outlives its daemon's place",
    file: "src/control/http/api-connection.ts",
    find: "  leave(): void {\n    this.#last = true;",
    replace: "  leave(): void {",
    tests: daemons,
  },
];
