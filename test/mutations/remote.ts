/** Faults in what concerns other machines. */
import type { Fault } from "./fault.ts";

const places = ["test/manifest/remote-place.test.ts"];
const reader = ["test/remote/answer-reader.test.ts"];
const machine = ["test/remote/machine.test.ts"];
const options = ["test/remote/ssh-arguments.test.ts"];

export const otherMachines: readonly Fault[] = [
  {
    name: "whoever reaps the children of services reaps ssh as well, and ends it as a stray",
    file: "src/supervisor/family/family.ts",
    find: "own.has(pid) || besides.has(pid);",
    replace: "own.has(pid);",
    tests: ["test/supervisor/family-identity.test.ts"],
  },
  {
    name: "a machine that gives signs of life without an end is waited for without an end",
    file: "src/remote/machine.ts",
    find: "if (this.#look?.begun === false) {",
    replace: "if (this.#look !== undefined) {",
    tests: machine,
  },
  {
    name: "what was known of a machine long ago counts for ever",
    file: "src/remote/machine.ts",
    find: "age <= 2 * this.#period;",
    replace: "age >= 0;",
    tests: machine,
  },
  {
    name: "a list that cannot be read is no servers",
    file: "src/remote/machine.ts",
    find: "else if (this.#isAlone) this.#answered(",
    replace: "else if (!this.#isAlone) this.#answered(",
    tests: machine,
  },
  {
    name: "ssh that is too old for an option refuses the machine",
    file: "src/remote/machine.ts",
    find: "if (!this.#isOld && isTooOld(errors)) {",
    replace: "if (this.#isOld && isTooOld(errors)) {",
    tests: ["test/remote/machine.test.ts"],
  },
  {
    name: "a host for ssh may begin with a hyphen, as its options do",
    file: "src/manifest/remote-place.ts",
    find: "(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*|",
    replace: "(?:[A-Za-z0-9_.-][A-Za-z0-9_.=-]*|",
    tests: places,
  },
  {
    name: "the file of kept machines may have any host",
    file: "src/remote/kept.ts",
    find: "hostMistake(its.host) === undefined,",
    replace: "its.host.length > 0,",
    tests: ["test/remote/kept.test.ts"],
  },
  {
    name: "a name of another machine need not be one",
    file: "src/remote/found.ts",
    find: 'if (nameMistake(name) !== undefined || name === "localhost") return undefined;',
    replace: 'if (name === "localhost") return undefined;',
    tests: reader,
  },
  {
    name: "a socket of another machine may have a path that ssh expands",
    file: "src/remote/found.ts",
    find: "isPlainPath(address) && address.length <= 107",
    replace: "address.length <= 107",
    tests: reader,
  },
  {
    name: "machines that are remote from another machine are listed",
    file: "src/remote/found.ts",
    find: 'row.url === null || row.source === "remote"',
    replace: "row.url === null",
    tests: reader,
  },
  {
    name: "another machine may send without an end",
    file: "src/remote/session.ts",
    find: "if (heard > longestAnswer) onFlood();",
    replace: "if (heard > 1_000 * longestAnswer) onFlood();",
    tests: machine,
  },
  {
    name: "a request asks a machine again that has refused us",
    file: "src/remote/states.ts",
    find: "refused: { told: dial, due: dial,",
    replace: "refused: { told: dial, asked: dial, due: dial,",
    tests: ["test/remote/states.test.ts"],
  },
  {
    name: "a look that nobody answers holds a machine for connected",
    file: "src/remote/machine.ts",
    find: "if (look.ticks >= limit) this.#isSilent(limit);",
    replace: "if (look.ticks >= 100 * limit) this.#isSilent(limit);",
    tests: machine,
  },
  {
    name: "a machine that sleeps holds a request",
    file: "src/remote/remotes.ts",
    find: "await Promise.race([machine.known(), late.promise]);",
    replace: "await machine.known();",
    tests: ["test/remote/remotes.test.ts"],
  },
  {
    name: "a server that is called like another machine answers for it",
    file: "src/routes/table.ts",
    find: 'if (!rest.includes(".") && remotes.has(rest)) return undefined;',
    replace: "",
    tests: ["test/routes/table.test.ts"],
  },
  {
    name: "a name of another machine that has ended leads to a shorter one",
    file: "src/routes/table.ts",
    find: "if (remotes.has(rest)) return undefined;\n    const dot",
    replace: "const dot",
    tests: ["test/routes/table.test.ts"],
  },
  {
    name: "the forwards of a person's ssh configuration are opened with ours",
    file: "src/remote/ssh-arguments.ts",
    find: '"ClearAllForwardings=yes",',
    replace: "",
    tests: options,
  },
  {
    name: "the sockets that lead to another machine may be used by everybody",
    file: "src/remote/ssh-arguments.ts",
    find: '"StreamLocalBindMask=0177",',
    replace: '"StreamLocalBindMask=0000",',
    tests: options,
  },
  {
    name: "ssh may ask a person in a window",
    file: "src/remote/session.ts",
    find: 'SSH_ASKPASS_REQUIRE: "never"',
    replace: 'SSH_ASKPASS_REQUIRE: "prefer"',
    tests: ["test/remote/session.test.ts"],
  },
  {
    name: "the folder of a daemon that is gone stays",
    file: "src/remote/socket-folder.ts",
    find: "if (other !== options.pid && options.isAlive(other)) continue;",
    replace: "if (other !== options.pid) continue;",
    tests: ["test/remote/socket-folder.test.ts"],
  },
];
