/** Guards of managed stores -> how each could be lost. */
import type { Fault } from "./fault.ts";

const questions = ["test/wire/store-questions.test.ts"];
const servers = ["test/stores/servers.test.ts"];

export const stores: readonly Fault[] = [
  {
    name: "a Redis that loads its data is taken for ready",
    file: "src/wire/redis-ping.ts",
    find: 'return line === "+PONG" || line.startsWith("-NOAUTH") ? serves',
    replace: 'return line !== "" ? serves',
    tests: questions,
  },
  {
    name: "a MySQL that lets nobody in is taken for ready",
    file: "src/wire/mysql-greeting.ts",
    find: 'if (kind === protocol10) return { kind: "done", value: serves, end };',
    replace: 'if (kind !== 0) return { kind: "done", value: serves, end };',
    tests: questions,
  },
  {
    name: "a MongoDB that takes no writes is taken for ready",
    file: "src/wire/mongo-message.ts",
    find: 'return fields.get("isWritablePrimary") === true ? serves',
    replace: 'return fields.has("isWritablePrimary") ? serves',
    tests: questions,
  },
  {
    name: "a managed Redis has no password",
    file: "src/stores/servers/redis.ts",
    find: "const login = [`requirepass ${password}`, ...asker];",
    replace: "const login = [`# ${password}`, ...asker];",
    tests: servers,
  },
  {
    name: "a setting of the file opens a managed Redis to the network",
    file: "src/stores/servers/redis.ts",
    find: "return [...usual, ...settings, ...ours, ...login]",
    replace: "return [...usual, ...ours, ...login, ...settings]",
    tests: servers,
  },
  {
    name: "a new MariaDB keeps users without a password",
    file: "src/stores/servers/mysql.ts",
    find: '`DROP USER IF EXISTS ${open.join(", ")};`,',
    replace: "",
    tests: servers,
  },
  {
    name: "MariaDB's mysqld is taken for MySQL",
    file: "src/stores/servers/mysql.ts",
    find: 'said.includes("MariaDB") ? undefined : ',
    replace: "",
    tests: servers,
  },
  {
    name: "data of a store that was cut off is gone on with",
    file: "src/stores/servers/prepared-data.ts",
    find: "rmSync(unfinished, { recursive: true, force: true });",
    replace: "mkdirSync(unfinished, { recursive: true }); if (existsSync(unfinished)) return;",
    tests: ["test/stores/prepared-data.test.ts"],
  },
  {
    name: "version 7 takes a Redis 70",
    file: "src/stores/servers/find-program.ts",
    find: "return `${its}.`.startsWith(`${wanted}.`);",
    replace: "return its.startsWith(wanted);",
    tests: ["test/stores/find-program.test.ts"],
  },
  {
    name: "a file may set who logs in to a store",
    file: "src/manifest/types/store.ts",
    find: "if (ours !== undefined) wrong(",
    replace: "if (ours === undefined && ours !== undefined) wrong(",
    tests: ["test/manifest/types/store-settings.test.ts"],
  },
  {
    name: "a further port of a service that runs is given to another",
    file: "src/supervisor/project/port-book.ts",
    find: "(running.has(ownerOf(other)) ? taken : kept)",
    replace: "(running.has(other) ? taken : kept)",
    tests: ["test/supervisor/port-book.test.ts"],
  },
  {
    name: "a store on which nothing depends has no password",
    file: "src/supervisor/types/store.ts",
    find: "facts.machine.passwordOf(place);",
    replace: "",
    tests: ["test/supervisor/store-kind.test.ts"],
  },
  {
    name: "clients of a store send its password to whoever listens on ::1",
    file: "src/supervisor/types/store-gifts.ts",
    find: 'const address = "127.0.0.1";',
    replace: 'const address = "localhost";',
    tests: ["test/supervisor/store-kind.test.ts"],
  },
  {
    name: "a shorter name answers for a store that does not speak HTTP",
    file: "src/routes/decide.ts",
    find: "const store = by === name ? undefined : table.store(name);",
    replace: "const store = by !== undefined ? undefined : table.store(name);",
    tests: ["test/routes/declared-store.test.ts"],
  },
];
