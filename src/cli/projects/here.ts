/** The current folder, and the rows of all projects -> the rows that a command is about: those of the project here. */
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { projectHere as projectAt } from "../shared/lookup.ts";
import { Failure } from "../shared/failure.ts";
import { nothingUpText } from "../shared/project-files.ts";
import { UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Row } from "./asking.ts";
import { type Lookup, rowsIn, rowsNamed } from "./named.ts";

/** The folder of the project here: the nearest one that is declared, or that the daemon knows. */
export async function projectHere({ rows, world }: Lookup): Promise<string | undefined> {
  return await projectAt(new Set(rows.map((row) => row.path)), world);
}

/** The folder in which names without a project are looked up first. */
export async function folderHere(world: World, rows: readonly Row[]): Promise<string> {
  return (await projectHere({ rows, world })) ?? world.cwd;
}

/**
 * The services that a verb acts on: those that are named, those of the project here, or all. @throws an Error for a
 * person, where a word names nothing, or no word is given and no project is here.
 */
export async function rowsFor(
  words: readonly string[],
  { all = false, ...here }: Lookup & { all?: boolean | undefined },
): Promise<Row[]> {
  noNamesWithAll(words, all);
  if (all) return [...here.rows];
  if (words.length > 0) return await rowsNamed(words, here);
  const directory = await projectHere(here);
  if (directory === undefined) {
    const projects = [...new Set(here.rows.map((row) => row.project))];
    const known =
      projects.length === 0
        ? ""
        : `; name a project (${listed(projects, { most: 12 })}) or a service, or use --all`;
    throw new Failure(
      "no_project",
      `there is no project in ${printable(here.world.cwd, 500)}${known}`,
    );
  }
  return rowsIn(directory, here.rows);
}

export type ShownRows = {
  rows: readonly Row[];
  /** Projects that are left out. */
  others: number;
  /** The folder of a project of which the daemon knows nothing. */
  unknown: string | undefined;
};

/** The services that a verb shows where none is named: those of the project here; outside every project, all. */
export async function rowsShown({ rows, world }: Lookup): Promise<ShownRows> {
  const directory = await projectHere({ rows, world });
  if (directory === undefined) return { rows, others: 0, unknown: undefined };
  const here = rows.filter((row) => row.path === directory);
  const left = rows.filter((row) => row.path !== directory);
  const others = new Set(left.map((row) => row.path)).size;
  return { rows: here, others, unknown: here.length === 0 ? directory : undefined };
}

/** For a person: `2 other projects: localhostess status --all`. Undefined where nothing was left out. */
export function othersText(
  { others, unknown }: ShownRows,
  { verb }: { verb: string },
): string | undefined {
  const rest =
    others === 0 ? "" : `${counted(others, "other project")}: localhostess ${verb} --all`;
  if (unknown === undefined) return rest === "" ? undefined : rest;
  const up = nothingUpText(unknown);
  return rest === "" ? up : `${up} (${rest})`;
}

/** @throws UsageError: it would not be clear which of both is meant. */
export function noNamesWithAll(words: readonly string[], all: boolean): void {
  if (all && words.length > 0) {
    throw new UsageError([`--all is every service of every project; leave out ${words.join(" ")}`]);
  }
}
