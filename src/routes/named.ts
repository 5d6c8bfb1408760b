/** A word as typed (`shop:api`, `api`, a project's name) -> the services that it names, or why it names none. Pure. */
import { listed } from "../text/list.ts";
import { didYouMean } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";

/** A service that a word may name. */
export type Nameable = {
  /** `shop:api`. */
  id: string;
  service: string;
  /** For an instance, the name that it shares: `web` of `web-2`. */
  of?: string | undefined;
  project: string;
  /** The project's folder. */
  directory: string;
};

export type NamedOptions<Row> = {
  rows: readonly Row[];
  /** The project that names without one belong to first. */
  directory: string | undefined;
  /** How a word is shown to a person; without it, in quotes. */
  show?: Show;
};

export type Show = (word: string) => string;

export type Named<Row> =
  | { kind: "rows"; rows: readonly Row[] }
  /** `several`: services of more than one project are named so. */
  | { kind: "none"; why: string; several: boolean };

/** Characters of a word that are shown. */
const longest = 80;

const quoted: Show = (word) => JSON.stringify(printable(word, longest));

/** As on a terminal: without quotes. */
export const unquoted: Show = (word) => printable(word, longest);

/**
 * An id, a service of the project here, a service of any one project, then a whole project. A name that instances share
 * stands for all of them.
 */
export function servicesNamed<Row extends Nameable>(
  word: string,
  { rows, directory, show = quoted }: NamedOptions<Row>,
): Named<Row> {
  const named = (these: readonly Row[]): Named<Row> => ({ kind: "rows", rows: these });
  const exact = rows.filter(({ id, project, of }) => id === word || `${project}:${of}` === word);
  if (exact.length > 0) return named(exact);
  const anywhere = rows.filter(({ service, of }) => service === word || of === word);
  const here = anywhere.filter((row) => row.directory === directory);
  if (here.length > 0) return named(here);
  const ids = [...new Set(anywhere.map(({ project }) => `${project}:${word}`))];
  if (ids.length === 1) return named(anywhere);
  if (ids.length > 1) {
    const why = `several projects have a service ${show(word)}: use ${listed(ids, { conjunction: "or" })}`;
    return { kind: "none", why, several: true };
  }
  const whole = rows.filter(({ project }) => project === word);
  if (whole.length > 0) return named(whole);
  const names = new Set(
    rows.flatMap(({ id, service, of, project }) => [service, id, of ?? service, project]),
  );
  return { kind: "none", why: noServiceText(word, { names, show }), several: false };
}

/** `no service is named "ap"; did you mean api?` */
export function noServiceText(
  word: string,
  { names, show = quoted }: { names: Iterable<string>; show?: Show },
): string {
  return `no service is named ${show(word)}${didYouMean(word, names)}`;
}

export type Within =
  | { kind: "services"; names: readonly string[] }
  /** `hint`: the nearest, as the end of a sentence; empty where none is near. */
  | { kind: "none"; hint: string };

/** A service as its project declares it. */
export type Declared = {
  name: string;
  instance?: { of: string } | undefined;
};

/**
 * The service of one project that a word names, with or without the project's name before it; all instances of a name
 * that they share.
 */
export function servicesWithin(
  word: string,
  { name: project, services }: { name: string; services: readonly Declared[] },
): Within {
  const name = word.startsWith(`${project}:`) ? word.slice(project.length + 1) : word;
  const found = services.filter((its) => its.name === name || its.instance?.of === name);
  if (found.length > 0) return { kind: "services", names: found.map((its) => its.name) };
  return { kind: "none", hint: didYouMean(name, namesOf(services)) };
}

/** As people name them: instances by their number, and all of them at once. */
export function namesOf(services: readonly Declared[]): string[] {
  return [...new Set(services.flatMap(({ name, instance }) => [instance?.of ?? name, name]))];
}
