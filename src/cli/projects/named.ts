/** Words for services, as typed -> the rows that they name, and the words that the daemon knows them by. */
import { listed } from "../../text/list.ts";
import { hostsOf, type Nameable, unquoted, wordIn } from "../../routes/named.ts";
import { Failure } from "../shared/failure.ts";
import { type Here, servicesMeant } from "../shared/lookup.ts";
import { printable } from "../../text/printable.ts";
import type { FoundStatus } from "../../routes/project-report.ts";
import type { Row } from "./asking.ts";

/** A service that the files of the project here declare, and that the daemon does not know. */
export class NotUp extends Failure {
  /** `shop:api`. */
  readonly ids: readonly string[];

  constructor({ ids, why }: { ids: readonly string[]; why: string }) {
    super("not_up", why);
    this.ids = ids;
  }
}

/** The rows in which words are looked up, and the folder that they were typed in. */
export type Lookup = {
  /** The services of all projects. */
  rows: readonly Row[];
  /** Servers that were started by hand: a word for one names no service, and is answered with its process. */
  servers?: readonly FoundStatus[] | undefined;
  world: Here;
};

/** The rows that the words name. @throws an Error for a word that names none. */
export async function rowsNamed(words: readonly string[], lookup: Lookup): Promise<Row[]> {
  const named = await Promise.all(words.map((word) => rowsMeant(word, lookup)));
  return [...new Set(named.flat())];
}

/** All services of the project in that folder. @throws an Error where none is known. */
export function rowsIn(directory: string, rows: readonly Row[]): Row[] {
  const here = rows.filter((row) => row.path === directory);
  if (here.length > 0) return here;
  throw new Failure(
    "not_up",
    `the daemon knows no project in ${directory}; start it with: localhostess up${known(rows)}`,
  );
}

/** A row as what a word may name. */
export function nameableOf(row: Row): Nameable & { row: Row } {
  const { name: id, service, instance, project, path, route_name, domain } = row;
  const names = [route_name, instance?.route_name];
  const shared = instance?.url ? [new URL(instance.url).hostname] : [];
  const hosts = [...hostsOf(names, domain ?? undefined), ...shared];
  return { id, service, of: instance?.of, project, directory: path, hosts, row };
}

async function rowsMeant(word: string, { rows, servers = [], world }: Lookup): Promise<Row[]> {
  const found = await servicesMeant(word, { rows: rows.map(nameableOf), world });
  if (found.kind === "rows") return found.rows.map((its) => its.row);
  if (found.kind === "declared") throw new NotUp(found);
  const server = serverNamed(word, servers);
  if (server !== undefined) throw new Failure("unsupported", byHandText(server));
  // Services of several projects are listed in the sentence already.
  if (found.several) throw new Failure("ambiguous", found.why);
  throw new Failure("not_found", `${found.why}${known(rows)}`);
}

function serverNamed(word: string, servers: readonly FoundStatus[]): FoundStatus | undefined {
  const name = wordIn(word).word.toLowerCase();
  return servers.find((its) => name === its.name || name === its.domain);
}

/** `api was started by hand (pid 17: bun dev) and is no service of a project: ...` */
function byHandText({ name, pid, command, path }: FoundStatus): string {
  if (pid === null) {
    return `${unquoted(name)} leads to ${printable(command, 200)}, whose process is not known here, and is no service of a project; to see how: localhostess why ${unquoted(name)}`;
  }
  const place = path === null ? "" : `, in ${path}`;
  return `${unquoted(name)} was started by hand (pid ${pid}: ${printable(command, 200)}${place}) and is no service of a project; its output is in its own terminal, and kill ${pid} ends it`;
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
