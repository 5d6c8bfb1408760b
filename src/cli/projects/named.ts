/** Words for services, as typed -> the rows that they name, and the words that the daemon knows them by. */
import { listed } from "../../text/list.ts";
import { servicesNamed, unquoted } from "../../routes/named.ts";
import type { Row } from "./asking.ts";

export type Named = {
  rows: readonly Row[];
  /** The folder of the project in which names without a project are looked up first. */
  directory: string;
};

/** The rows that the words name; without words, all of this project. @throws an Error for a word that names none. */
export function rowsNamed(words: readonly string[], { rows, directory }: Named): Row[] {
  if (words.length === 0) {
    const here = rows.filter((row) => row.path === directory);
    if (here.length > 0) return here;
    throw new Error(
      `the daemon knows no project in ${directory}; start it with: localhostess up${known(rows)}`,
    );
  }
  const named = words.flatMap((word) => rowsFor(word, { rows, directory }));
  return [...new Set(named)];
}

function rowsFor(word: string, { rows, directory }: Named): Row[] {
  const nameable = rows.map((row) => {
    const { name: id, service, instance, project, path } = row;
    return { id, service, of: instance?.of, project, directory: path, row };
  });
  const found = servicesNamed(word, { rows: nameable, directory, show: unquoted });
  if (found.kind === "rows") return found.rows.map((its) => its.row);
  // Services of several projects are listed in the sentence already.
  throw new Error(found.several ? found.why : `${found.why}${known(rows)}`);
}

function namesOf(rows: readonly Row[]): string[] {
  return rows.map((row) => row.name);
}

function known(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  return ` (known: ${listed(namesOf(rows), { most: 12 })})`;
}

/**
 * Whole projects by their name, and other services by their id, as the daemon knows them. `apart`: all instances of one
 * name are words of their own, for what happens to one after the other.
 */
export function wordsFor(
  chosen: readonly Row[],
  { rows, apart = false }: { rows: readonly Row[]; apart?: boolean },
): string[] {
  const projects = new Map<string, Row[]>();
  for (const row of chosen) projects.set(row.project, [...(projects.get(row.project) ?? []), row]);
  return [...projects].flatMap(([project, its]) => {
    const all = rows.filter((row) => row.project === project);
    const together = apart && its.every((row) => row.instance && row.instance.of === of(its[0]!));
    if (its.length === all.length && all.length > 1 && !together) return [project];
    if (apart) return its.map((row) => row.name);
    const whole = (row: Row) =>
      of(row) !== undefined && all.every((other) => of(other) !== of(row) || its.includes(other));
    return [...new Set(its.map((row) => (whole(row) ? `${project}:${of(row)}` : row.name)))];
  });
}

function of(row: Row): string | undefined {
  return row.instance?.of;
}
