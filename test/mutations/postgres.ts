/** Faults in how a PostgreSQL is fetched, made, and started. */
import type { Fault } from "./fault.ts";

const folder = "src/stores/postgres";
const runs = ["test/programs/run-postgres.test.ts"];
const packages = ["test/programs/embedded-postgres.test.ts"];

export const postgresFaults: readonly Fault[] = [
  {
    name: "a server that starts up counts as ready",
    file: "src/wire/postgres.ts",
    find: '(answer.code === cannotConnectNow || answer.code === "")',
    replace: '(answer.code === "")',
    tests: ["test/wire/postgres.test.ts"],
  },
  {
    name: "another server that answers at its port makes a database ready before it is made",
    file: "src/supervisor/service/readiness.ts",
    find: 'return ask.kind === "store" && (!this.#life.speaks || this.#life.status !== undefined);',
    replace: "return ask.kind === undefined;",
    tests: ["test/supervisor/lifecycle.test.ts"],
  },
  {
    name: "a password that nobody has asked for is not made",
    file: "src/supervisor/types/postgres.ts",
    find: "    facts.machine.passwordOf(place);\n",
    replace: "",
    tests: ["test/supervisor/postgres-kind.test.ts"],
  },
  {
    name: "a package with another hash is unpacked",
    file: "src/system/download.ts",
    find: '.digest("base64") === sha512) return bytes;',
    replace: '.digest("base64") !== "") return bytes;',
    tests: ["test/system/download.test.ts"],
  },
  {
    name: "a registry may send without end",
    file: "src/system/download.ts",
    find: "      if (received.length > limit) throw tooLarge;\n",
    replace: "      if (received.length > 100 * limit) throw tooLarge;\n",
    tests: ["test/system/download.test.ts"],
  },
  {
    name: "a part that begins elsewhere is taken for the rest of a file",
    file: "src/system/download.ts",
    find: "answer.status !== 206 || !continues(answer, received)",
    replace: "answer.status === 416",
    tests: ["test/system/download.test.ts"],
  },
  {
    name: "a file of a package may be written outside",
    file: "src/wire/tar.ts",
    find: 'part !== "" && part !== "." && part !== ".."',
    replace: 'part !== "" && part !== "."',
    tests: ["test/wire/tar.test.ts"],
  },
  {
    name: "links in a package are passed over",
    file: "src/wire/tar.ts",
    find: 'else if (type !== "g") return bad(',
    replace: 'else if (type === "?") return bad(',
    tests: ["test/wire/tar.test.ts"],
  },
  {
    name: "a link of the list may lead outside",
    file: `${folder}/unpack.ts`,
    find: 'path.startsWith("native/") && staysInside(path)',
    replace: 'path.startsWith("native/")',
    tests: ["test/stores/unpack.test.ts"],
  },
  {
    name: "a value of a setting may be a second line",
    file: `${folder}/settings.ts`,
    find: "return /[\\0\\r\\n]/.test(value) ?",
    replace: "return /[\\0]/.test(value) ?",
    tests: ["test/stores/postgres-settings.test.ts"],
  },
  {
    name: "a setting may say where the server listens",
    file: `${folder}/settings.ts`,
    find: "const why = ours[name.toLowerCase()];",
    replace: "const why = ours[name];",
    tests: ["test/stores/postgres-settings.test.ts"],
  },
  {
    name: "data of another major version is started",
    file: `${folder}/data.ts`,
    find: "if (version === String(major)) return true;",
    replace: 'if (version !== "") return true;',
    tests: runs,
  },
  {
    name: "data is made where it stays, and not by a rename",
    file: `${folder}/data.ts`,
    find: "const unfinished = join(place.folder, `${unfinishedName}-${process.pid}-${crypto.randomUUID()}`);",
    replace: "const unfinished = place.data;",
    tests: runs,
  },
  {
    name: "a lock file with a number that another program has by now keeps the server from starting",
    file: `${folder}/holder.ts`,
    find: "if (stale !== undefined && isAlive(stale)) rmSync(",
    replace: "if (stale !== undefined && !isAlive(stale)) rmSync(",
    tests: runs,
  },
  {
    name: "a start does not wait for a server on the same data",
    file: `${folder}/holder.ts`,
    find: "return pid !== undefined && isAlive(pid) && (await runsOn(pid, data)) ? pid : undefined;",
    replace: "return undefined;",
    tests: runs,
  },
  {
    name: "a password that was replaced is not set",
    file: "src/programs/run-postgres.ts",
    find: "if (!hasPassword(place, made, password)) {",
    replace: "if (made === undefined) {",
    tests: runs,
  },
  {
    name: "the server goes on at one address where another program has the other",
    file: "src/programs/run-postgres.ts",
    find: "if (!loopback(process.platform).isFree(programs.port)) {",
    replace: "if (programs.port === 0) {",
    tests: runs,
  },
  {
    name: "variables of the shell choose another server, or another port",
    file: "src/programs/run-postgres.ts",
    find: "/^(?:PG|NOTIFY_SOCKET$)/",
    replace: "/^(?:NOTIFY_SOCKET$)/",
    tests: runs,
  },
  {
    name: "a package that a power failure has damaged is run",
    file: `${folder}/binaries.ts`,
    find: "    if ((await majorOf(bin)) === major) return bin;\n    rmSync",
    replace: "    if (major > 0) return bin;\n    rmSync",
    tests: packages,
  },
];
