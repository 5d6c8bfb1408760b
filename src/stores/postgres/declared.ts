/** The declaration of a database -> all of it made in its data: database, extensions, and the work of its SQL files. */
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import type { PostgresSpec } from "../../manifest/types/own.ts";
import { listed } from "../../text/list.ts";
import { readText } from "../../system/read-text.ts";
import { whereIs } from "../../system/search-path.ts";
import { isExecutable } from "./installed.ts";
import { type Query, type ServerPrograms, superuser } from "./server.ts";
import { Unstartable } from "./unstartable.ts";

/** Bytes of an SQL file that is run without psql. */
const longest = 256 * 1024 * 1024;

export type DeclaredOptions = {
  own: PostgresSpec;
  /** Absolute: the project's folder. */
  directory: string;
  programs: ServerPrograms;
  query: Query;
  /** Absolute; undefined: the files are run without it. */
  psql: string | undefined;
  onStatus(text: string): void;
};

/** Anything that is there already stays as it is. @throws Unstartable. */
export async function makeDeclared({ own, query, onStatus }: DeclaredOptions): Promise<void> {
  const { database, extensions } = own;
  const found = await query(
    `SELECT 1 FROM pg_database WHERE datname = '${database.replaceAll("'", "''")}'`,
    superuser,
  );
  if (found.length === 0) {
    onStatus(`making the database ${database}`);
    await query(`CREATE DATABASE ${identifier(database)}`, superuser);
  }
  if (extensions.length === 0) return;
  const rows = await query("SELECT name FROM pg_available_extensions", database);
  const available = new Set(rows.map(({ name }) => name));
  const missing = extensions.filter((name) => !available.has(name));
  if (missing.length > 0) throw lacking(missing, own);
  for (const name of extensions) {
    onStatus(`making the extension ${name}`);
    try {
      await query(`CREATE EXTENSION IF NOT EXISTS ${identifier(name)} CASCADE`, database);
    } catch (error) {
      throw new Unstartable(`extension ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
}

function lacking(missing: readonly string[], { major }: PostgresSpec): Unstartable {
  const [which, one] = missing.length === 1 ? ["extension", "it"] : ["extensions", "them"];
  return new Unstartable(
    `its PostgreSQL ${major} has no ${which} ${listed(missing)}; install a PostgreSQL ${major} that has ${one}, or take ${one} out of extensions`,
  );
}

/** Quoted, so that any name is only a name. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Before anything is made for them. @throws Unstartable. */
export function checkFiles({ own, directory }: Pick<DeclaredOptions, "own" | "directory">): void {
  const missing = own.init.filter((path) => !existsSync(path));
  if (missing.length === 0) return;
  const names = missing.map((path) => shownPath(path, directory));
  throw new Unstartable(
    `init: there is no ${listed(names, { conjunction: "or" })} in ${directory}`,
  );
}

/** In their order. @throws Unstartable with the file and where in it. */
export async function runFiles(options: DeclaredOptions): Promise<void> {
  const { own, directory, psql, onStatus } = options;
  for (const path of own.init) {
    onStatus(`running ${shownPath(path, directory)}`);
    const why =
      psql === undefined
        ? await runByClient(path, options)
        : await runByPsql(path, { ...options, psql });
    if (why === undefined) continue;
    throw new Unstartable(
      `init: ${shownPath(path, directory)}${why}; nothing of it was kept, and the next start runs it again`,
    );
  }
}

function shownPath(path: string, directory: string): string {
  const inside = relative(directory, path);
  return inside.startsWith("..") ? path : inside;
}

/** The one beside the server, or any other: Debian's `psql` is a script that looks for servers of its own. */
export function findPsql({ folder, env }: ServerPrograms): string | undefined {
  const debian = "/usr/lib/postgresql";
  const majors = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  const places = [folder, ...majors.map((major) => join(debian, major, "bin"))];
  return places.map((place) => join(place, "psql")).find(isExecutable) ?? whereIs("psql", env.PATH);
}

/** Undefined: it went well. Otherwise how a sentence goes on: `, line 3: syntax error at ...`. */
async function runByPsql(
  path: string,
  { own, directory, programs, psql }: DeclaredOptions & { psql: string },
): Promise<string | undefined> {
  const child = Bun.spawn([psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path], {
    cwd: directory,
    env: {
      ...programs.env,
      PGHOST: programs.sockets,
      PGPORT: String(programs.port),
      PGUSER: superuser,
      PGDATABASE: own.database,
      // Not an argument, which everybody may read.
      PGPASSWORD: programs.password,
      LC_MESSAGES: "C",
    },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await child.stderr.text();
  const code = await child.exited;
  if (said.trim() !== "") programs.say(said.trimEnd());
  if (code === 0) return undefined;
  const fault = /^psql:(.*?):(\d+): (?:ERROR|FATAL|error): +(.*)$/m.exec(said);
  if (fault === null)
    return `: ${said.trim().split("\n").at(-1) || `psql ended with code ${code}`}`;
  const [, file, line, message] = fault;
  const included = file === path ? "" : `, ${shownPath(file!, directory)}`;
  return `${included}, line ${line}: ${message}`;
}

/** As with psql; all of a file is one simple query, so that what fails undoes what stands before it in the file. */
async function runByClient(
  path: string,
  { own, query }: DeclaredOptions,
): Promise<string | undefined> {
  const read = await readText(path, { longest });
  if (read.kind !== "text")
    return ` cannot be read: ${read.kind === "missing" ? "it is gone" : read.why}`;
  const command = /^\\[a-z!?]+/m.exec(read.text);
  if (command !== null) {
    return `, line ${lineAt(read.text, command.index)}: ${command[0]} is a command of psql, which is not installed on this machine`;
  }
  try {
    await query(read.text, own.database);
    return undefined;
  } catch (error) {
    const { message, position } = error as { message: string; position?: string };
    if (position === undefined) return `: ${message}`;
    return `, line ${lineAt(read.text, offsetOf(read.text, Number(position)))}: ${message}`;
  }
}

/** PostgreSQL counts characters from 1, and not units of UTF-16. */
function offsetOf(text: string, position: number): number {
  return [...text].slice(0, position - 1).join("").length;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
