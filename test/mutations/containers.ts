/** Engines of containers -> how a name could lead to the wrong place, or an engine could harm us. */
import type { Fault } from "./fault.ts";

const engine = "test/containers/engine.test.ts";
const api = "test/containers/engine-api.test.ts";
const claims = "test/containers/container-claims.test.ts";
const socket = "test/containers/engine-socket.test.ts";

export const containers: readonly Fault[] = [
  {
    name: "a stranger's socket is asked which port is whose",
    file: "src/containers/engine-socket.ts",
    find: "if (its.uid !== 0 && its.uid !== uid) {",
    replace: "if (its.uid < 0) {",
    tests: [socket],
  },
  {
    name: "an engine that a person has stopped is started by a question",
    file: "src/containers/engine-socket.ts",
    find: "if (isAsleep(path)) {",
    replace: 'if (path === "") {',
    tests: [socket],
  },
  {
    name: "an engine's answer may be of any size",
    file: "src/containers/engine-api.ts",
    find: "if (size > mostBytes) return undefined;",
    replace: "if (size < 0) return undefined;",
    tests: [api],
  },
  {
    name: "an engine's answer is unpacked",
    file: "src/containers/engine-api.ts",
    find: "decompress: false",
    replace: "decompress: true",
    tests: [api],
  },
  {
    name: "names of a killed engine stay",
    file: "src/containers/engine-states.ts",
    find: 'broken: { next: "resting", action: "rest", forget: true },',
    replace: 'broken: { next: "resting", action: "rest" },',
    tests: [engine],
  },
  {
    name: "names of an engine that hangs stay for ever",
    file: "src/containers/engine.ts",
    find: 'this.#after("patience", patience, () => this.#do("given-up"));',
    replace: 'this.#after("patience", patience * 1e6, () => this.#do("given-up"));',
    tests: [engine],
  },
  {
    name: "a list that is older than its news stays",
    file: "src/containers/engine.ts",
    find: 'this.#after("news", afterNews, () => this.#listSoon());',
    replace: "",
    tests: [engine],
  },
  {
    name: "an engine whose events end at once is asked in a circle",
    file: "src/containers/engine.ts",
    find: "      this.#longer();\n      if (pause === 0)",
    replace: "      if (pause === 0)",
    tests: [engine],
  },
  {
    name: "a pid of another machine names a process of this one",
    file: "src/containers/container-process.ts",
    find: "if (groups === undefined || !groups.includes(id)) return undefined;",
    replace: "",
    tests: ["test/containers/container-process.test.ts"],
  },
  {
    name: "the user behind a container's port is not asked for",
    file: "src/containers/container-claims.ts",
    find: "owners: [...new Set([0, engine.owner])],",
    replace: "owners: undefined,",
    tests: [claims],
  },
  {
    name: "a server that has taken a container's port gets its requests while the engine hangs",
    file: "src/discovery/place-holders.ts",
    find: "(facts.isDoubtful ? strangerAt(its, scan) : undefined)",
    replace: "undefined",
    tests: ["test/discovery/claimed.test.ts"],
  },
  {
    name: "a container's port that is published everywhere takes another server's socket",
    file: "src/discovery/place-holders.ts",
    find: "return wildcard.length === 0 ? onPort : wildcard;",
    replace: "return onPort;",
    tests: ["test/discovery/claimed.test.ts"],
  },
];
