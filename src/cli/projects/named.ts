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
    const { name: id, service, project, path } = row;
    return { id, service, project, directory: path, row };
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

/** Whole projects by their name, and other services by their id, as the daemon knows them. */
export function wordsFor(chosen: readonly Row[], rows: readonly Row[]): string[] {
  const projects = new Map<string, Row[]>();
  for (const row of chosen) projects.set(row.project, [...(projects.get(row.project) ?? []), row]);
  return [...projects].flatMap(([project, its]) => {
    const all = rows.filter((row) => row.project === project);
    return its.length === all.length && all.length > 1 ? [project] : its.map((row) => row.name);
  });
}
