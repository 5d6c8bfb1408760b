/** MySQL and MariaDB: a store -> how its server is started, and how its data is made. */
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { usualDatabase } from "../../manifest/types/usual.ts";
import { mustRun } from "./must-run.ts";
import { packageFolders } from "./package-folders.ts";
import type { ProgramFacts, StoreFacts, StoreServer } from "./server.ts";
import { whereIs } from "../../system/search-path.ts";

/**
 * Names are not looked up, so that a slow DNS delays nobody. A check that asks for the greeting and leaves counts as an
 * error of its host, which is the same as everybody's in a container: that host is never to be shut out.
 */
const usual = ["--skip-name-resolve", "--max-connect-errors=4294967295"];

/** Milliseconds. A new server writes some hundred megabytes. */
const longestPreparation = 300_000;

function settingsOf({ spec }: StoreFacts): string[] {
  return Object.entries(spec.settings).map(([name, value]) => `--${name}=${value}`);
}

/**
 * Run by the server at every start, before it takes a connection: what the file declares now is there then, also after
 * an interrupted start. A password has letters, digits, `-` and `_` only, and a database no backquote.
 */
function initialSql({ spec, password }: StoreFacts): string {
  // Users of a new MariaDB that have no password.
  const open = ["127.0.0.1", "::1", hostname()].map((host) => `'root'@'${host}'`);
  return [
    `DROP USER IF EXISTS ${open.join(", ")};`,
    `CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '${password}';`,
    `ALTER USER 'root'@'%' IDENTIFIED BY '${password}';`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;",
    `CREATE DATABASE IF NOT EXISTS \`${spec.database ?? usualDatabase}\`;`,
    "",
  ].join("\n");
}

type Flavour = {
  title: string;
  programs: readonly string[];
  package: string;
  getting: string;
  versionIn(said: string): string | undefined;
  /** Arguments of its own, before the settings. */
  words: readonly string[];
  makeData(folder: string, facts: ProgramFacts): readonly [string, ...string[]];
  image(version: string | undefined): string;
  /** In front of the names of its image's variables. */
  prefix: string;
};

function server(flavour: Flavour): StoreServer {
  const { title, programs, getting, versionIn, image, prefix } = flavour;
  return {
    ...{ title, programs, getting, versionIn },
    folders: (version) => [
      ...packageFolders(flavour.package, version),
      ...["/usr/local/mysql/bin", "/usr/libexec"],
    ],
    asksVersion: ["--no-defaults", "--version"],
    start(facts) {
      const { place, port, isRoot } = facts;
      const path = join(place.folder, "start.sql");
      return {
        words: [
          // The system's own files are about the system's own server.
          "--no-defaults",
          ...[...usual, ...flavour.words, ...settingsOf(facts)],
          ...[`--datadir=${place.data}`, "--bind-address=127.0.0.1", `--port=${port}`],
          `--socket=${join(place.sockets, "mysql.sock")}`,
          ...[`--pid-file=${join(place.folder, "pid")}`, `--init-file=${path}`],
          ...asRoot(isRoot),
        ],
        env: {},
        files: { [path]: initialSql(facts) },
      };
    },
    prepare: (folder, facts) =>
      mustRun(flavour.makeData(folder, facts), {
        ...{ what: `the data of ${title}`, env: facts.env, deadline: longestPreparation },
      }),
    inContainer(facts) {
      const { spec, password } = facts;
      return {
        spec: {
          ...{ image: spec.image ?? image(spec.version), inside: 3306, data: "/var/lib/mysql" },
          ...{ entrypoint: undefined, ports: [] },
        },
        words: [...usual, ...flavour.words, ...settingsOf(facts)],
        env: {
          [`${prefix}_ROOT_PASSWORD`]: password,
          [`${prefix}_DATABASE`]: spec.database ?? usualDatabase,
        },
      };
    },
  };
}

/** Both refuse to run as root unless they are told so. */
function asRoot(isRoot: boolean): string[] {
  return isRoot ? ["--user=root"] : [];
}

export const mysql = server({
  ...{ title: "MySQL", programs: ["mysqld"], package: "mysql", prefix: "MYSQL" },
  getting: "install mysql-server-core (apt) or mysql (brew)",
  // `mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)`; MariaDB has a mysqld, too.
  versionIn: (said) =>
    said.includes("MariaDB") ? undefined : / Ver (\d+(?:\.\d+)+)/.exec(said)?.[1],
  // A second protocol has a port of its own, which two servers cannot share.
  words: ["--mysqlx=OFF"],
  makeData: (folder, { program, isRoot }) => [
    program.path,
    ...["--no-defaults", "--initialize-insecure", `--datadir=${folder}`, ...asRoot(isRoot)],
  ],
  image: (version = "8.4") => `mysql:${version}`,
});

export const mariadb = server({
  ...{ title: "MariaDB", programs: ["mariadbd", "mysqld"], package: "mariadb", prefix: "MARIADB" },
  getting: "install mariadb-server-core and mariadb-client-core (apt) or mariadb (brew)",
  versionIn: (said) => / Ver (\d+(?:\.\d+)+)-MariaDB/.exec(said)?.[1],
  // With more, each check leaves a line in the log: "Aborted connection".
  words: ["--log-warnings=1"],
  makeData: (folder, { program, env, isRoot }) => [
    installer(program.path, env.PATH),
    ...["--no-defaults", `--datadir=${folder}`, "--skip-test-db"],
    ...["--auth-root-authentication-method=normal", ...asRoot(isRoot)],
  ],
  image: (version = "11.4") => `mariadb:${version}`,
});

/** The program that makes data is in `bin`, where that of the server may be in `sbin`. */
function installer(program: string, PATH = ""): string {
  const folder = dirname(program);
  const near = [folder, join(folder, "../bin"), join(folder, "../scripts"), PATH, "/usr/bin"];
  const search = near.join(":");
  return (
    whereIs("mariadb-install-db", search) ??
    whereIs("mysql_install_db", search) ??
    "mariadb-install-db"
  );
}
