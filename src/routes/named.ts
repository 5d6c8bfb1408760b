/**
 * A word as typed (`shop:api`, `api`, `api.shop`, a URL, a project's name) -> the services that it names, or why it
 * names none. Pure.
 */
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
  /** Names that lead to it, with and without their domain: `api.shop`, `api.shop.test`; also those it shares. */
  hosts?: readonly string[] | undefined;
};

/** The `hosts` of a service with these names. `domain`: its project's, `shop.test`. */
export function hostsOf(
  names: readonly (string | null | undefined)[],
  domain: string | undefined,
): string[] {
  return names.flatMap((name) => {
    if (!name) return [];
    const own = domain === undefined ? [] : withEnding(name, domain);
    return [...new Set([name, `${name}.localhost`, ...own])];
  });
}

/** `api.shop` in `shop.test` -> `api.shop.test`. */
function withEnding(name: string, domain: string): string[] {
  for (let base = name; ; base = base.slice(base.indexOf(".") + 1)) {
    if (domain.startsWith(`${base}.`)) return [`${name}${domain.slice(base.length)}`];
    if (!base.includes(".")) return [];
  }
}

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
 * An id, a service of the project here, a service of any one project, a whole project, then the name in an address. A
 * name that instances share stands for all of them. A URL is an address only, and a name with a dot a project or an
 * address.
 */
export function servicesNamed<Row extends Nameable>(
  typed: string,
  options: NamedOptions<Row>,
): Named<Row> {
  const found = namedAs(typed, options);
  if (found.kind === "rows") return found;
  // As in an address, case does not matter where it tells nothing apart.
  const rows = options.rows.map((row) => ({ ...loweredOf(row), row }));
  const other = namedAs(typed.toLowerCase(), { ...options, rows });
  return other.kind === "rows" ? { kind: "rows", rows: other.rows.map(({ row }) => row) } : found;
}

function loweredOf({ id, service, of, project, directory, hosts }: Nameable): Nameable {
  return {
    id: id.toLowerCase(),
    service: service.toLowerCase(),
    of: of?.toLowerCase(),
    project: project.toLowerCase(),
    directory,
    hosts,
  };
}

function namedAs<Row extends Nameable>(
  typed: string,
  { rows, directory, show = quoted }: NamedOptions<Row>,
): Named<Row> {
  const named = (these: readonly Row[]): Named<Row> => ({ kind: "rows", rows: these });
  const asId = (word: string) =>
    rows.filter(({ id, project, of }) => id === word || `${project}:${of}` === word);
  const exact = asId(typed);
  if (exact.length > 0) return named(exact);
  const { word, isUrl, isAddress } = wordIn(typed);
  const id = asId(word);
  if (id.length > 0) return named(id);
  if (!isAddress) {
    const anywhere = rows.filter(({ service, of }) => service === word || of === word);
    const here = anywhere.filter((row) => row.directory === directory);
    if (here.length > 0) return named(here);
    const ids = [...new Set(anywhere.map(({ project }) => `${project}:${word}`))];
    if (ids.length === 1) return named(anywhere);
    if (ids.length > 1) {
      const why = `several projects have a service ${show(word)}: use ${listed(ids, { conjunction: "or" })}`;
      return { kind: "none", why, several: true };
    }
  }
  // A worktree's project has a dot in its name. With a scheme, an ending or a path, the word is an address.
  const whole = typed === word ? rows.filter(({ project }) => project === word) : [];
  if (whole.length > 0) return named(whole);
  const addressed = rowsAt(word, { rows, isUrl });
  if (addressed.length > 0) return named(addressed);
  const names = new Set(
    rows.flatMap(({ id, service, of, project }) => [service, id, of ?? service, project]),
  );
  const hosts = isAddress ? rows.flatMap((row) => row.hosts ?? []) : [];
  const why = noServiceText(isAddress ? word : typed, { names: [...names, ...hosts], show });
  return { kind: "none", why, several: false };
}

/**
 * A URL may come from a browser, where the longest matching suffix has answered: `x.api.shop` is `api.shop`. A word
 * that somebody types may have a slip in it, and must not stop another service.
 */
function rowsAt<Row extends Pick<Nameable, "hosts">>(
  host: string,
  { rows, isUrl }: { rows: readonly Row[]; isUrl: boolean },
): Row[] {
  const labels = host.split(".");
  const most = isUrl ? labels.length : 1;
  for (let at = 0; at < most; at++) {
    const rest = labels.slice(at).join(".");
    const found = rows.filter(({ hosts }) => hosts?.includes(rest));
    if (found.length > 0) return found;
  }
  return [];
}

/** Schemes of addresses that the proxy serves. */
const scheme = /^(?:https?|wss?):\/\//i;

/**
 * Without what an address has around its name: `http://api.shop.localhost:9090/users` -> `api.shop.localhost`,
 * `api/docs` -> `api`, `api:9090` -> `api`. `isAddress`: the word can only be the name in an address.
 */
export function wordIn(typed: string): { word: string; isUrl: boolean; isAddress: boolean } {
  const isUrl = scheme.test(typed);
  const [authority = ""] = typed.replace(scheme, "").split(/[/?#]/, 1);
  const word = authority.replace(/:\d+$/, "").replace(/\.$/, "");
  if (word === "") return { word: typed, isUrl: false, isAddress: false };
  // `fix-nav.shop:api` is a service of a worktree's project.
  const isId = /^[^:[\]]+:[^:]/.test(word);
  return { word, isUrl, isAddress: isUrl || (word.includes(".") && !isId) };
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
  /** Its name in an address: `api.shop`. */
  routeName?: string | undefined;
  instance?: { of: string; routeName?: string | undefined } | undefined;
};

/**
 * The service of one project that a word names, with or without the project's name before it; all instances of a name
 * that they share.
 */
export function servicesWithin(
  typed: string,
  {
    name: project,
    domain,
    services,
  }: { name: string; domain?: string; services: readonly Declared[] },
): Within {
  const { word, isUrl, isAddress } = wordIn(typed);
  const start = `${project}:`.toLowerCase();
  const nameIn = (its: string): string =>
    its.toLowerCase().startsWith(start) ? its.slice(start.length) : its;
  const named = (name: string) => {
    const found = services.filter((its) => its.name === name || its.instance?.of === name);
    if (found.length > 0) return found;
    const lower = name.toLowerCase();
    return services.filter(({ name: own, instance }) =>
      [own, instance?.of].some((its) => its?.toLowerCase() === lower),
    );
  };
  const [exact, other] = [named(nameIn(typed)), isAddress ? [] : named(nameIn(word))];
  const rows = services.map((its) => {
    return { its, hosts: hostsOf([its.routeName, its.instance?.routeName], domain) };
  });
  const addressed = () => rowsAt(word.toLowerCase(), { rows, isUrl }).map(({ its }) => its);
  const found = exact.length > 0 ? exact : other.length > 0 ? other : addressed();
  if (found.length > 0) return { kind: "services", names: found.map((its) => its.name) };
  return { kind: "none", hint: didYouMean(nameIn(word), namesOf(services)) };
}

/** As people name them: instances by their number, and all of them at once. */
export function namesOf(services: readonly Declared[]): string[] {
  return [...new Set(services.flatMap(({ name, instance }) => [instance?.of ?? name, name]))];
}
