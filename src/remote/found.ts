/** Servers of another machine, as its `ls --json` or our script names them -> services there, each name once. Pure. */
import { nameMistake } from "../manifest/project-name.ts";
import { pickPort, portIn } from "../routes/pick-port.ts";
import { printable } from "../text/printable.ts";
import { isPlainPath } from "./ssh-arguments.ts";
import { addressThere } from "./place-there.ts";

export type Found = {
  /** Its name there, without `.localhost`. */
  name: string;
  /** Where it is reached there: an address, or the path of a unix socket, and then the port is 0. */
  address: string;
  port: number;
  /** Printable. */
  command: string;
  cwd: string | undefined;
  /** Milliseconds since the Unix epoch, by that machine's clock. */
  startedAt: number | undefined;
  warnings: readonly string[];
};

/** Names of one machine: far more than a person runs there. */
export const mostServices = 200;

/** RFC 1035 section 2.3.4: 253 characters, of which `.localhost` and the remote's own label need some. */
const longestName = 253 - ".localhost".length;
const longestLabel = 63;
/** Characters of a command, as in lists of this machine. */
const longestCommand = 500;
const mostWarnings = 4;

export type FoundOptions = {
  /** The remote's name. */
  remote: string;
};

/** The name as it is there, in lower case; undefined where it gives no name here. */
export function nameThere(raw: string, { remote }: FoundOptions): string | undefined {
  const lower = raw.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const name = lower.endsWith(".localhost") ? lower.slice(0, -".localhost".length) : lower;
  if (nameMistake(name) !== undefined || name === "localhost") return undefined;
  if (name.split(".").some((label) => label.length > longestLabel)) return undefined;
  return name.length + 1 + remote.length <= longestName ? name : undefined;
}

// `ls --json` there.

/** Undefined: no such list. What is no row of one is left out. */
export function foundInList(text: string, options: FoundOptions): Found[] | undefined {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    // A program of that name which prints something else.
    return undefined;
  }
  if (!Array.isArray(rows)) return undefined;
  const byName = new Map<string, Found>();
  for (const row of rows) {
    const found = rowOf(row as Record<string, unknown>, options);
    if (found !== undefined && !byName.has(found.name)) byName.set(found.name, found);
    if (byName.size >= mostServices) break;
  }
  return [...byName.values()];
}

function rowOf(row: Record<string, unknown> | null, options: FoundOptions): Found | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  // A name without a URL leads nowhere there either; a machine that is remote from there is not ours to reach.
  if (typeof row.name !== "string" || row.url === null || row.source === "remote") return undefined;
  const name = nameThere(row.name, options);
  const address = typeof row.address === "string" ? row.address : "";
  if (name === undefined) return undefined;
  const place = placeOf(address, row.port);
  if (place === undefined) return undefined;
  const startedAt = typeof row.started_at === "string" ? Date.parse(row.started_at) : Number.NaN;
  const warnings = Array.isArray(row.warnings) ? row.warnings : [];
  return {
    name,
    ...place,
    command: typeof row.command === "string" ? printable(row.command, longestCommand) : "",
    cwd: typeof row.cwd === "string" ? printable(row.cwd, longestCommand) : undefined,
    startedAt: startedAt >= 0 ? startedAt : undefined,
    warnings: warnings
      .filter((its) => typeof its === "string")
      .slice(0, mostWarnings)
      .map((its) => printable(its, longestCommand)),
  };
}

function placeOf(address: string, port: unknown): Pick<Found, "address" | "port"> | undefined {
  if (address.startsWith("/")) {
    return isPlainPath(address) && address.length <= 107 ? { address, port: 0 } : undefined;
  }
  const there = addressThere(address);
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port <= 65_535;
  return there !== undefined && isPort ? { address: there, port } : undefined;
}

// The script's lines.

/** One listening socket of a process there. */
export type Row = {
  address: string;
  port: number;
  pid: number;
  parent: number;
  group: number;
  startedAt: number | undefined;
  name: string;
  /** Its PORT. */
  wanted: number | undefined;
  cwd: string | undefined;
  command: string;
};

/** `clock` of the script: when that machine was booted, seconds since the Unix epoch, and ticks in a second. */
export type ThereClock = { boot: number; hertz: number };

/** The text behind `at`; undefined: no row, or one whose process has no name that could be used. */
export function rowIn(
  text: string,
  { remote, clock }: FoundOptions & { clock: ThereClock | undefined },
): Row | undefined {
  const [numbers = "", own, variable, wanted, cwd, command = ""] = text.split("\t");
  const [address = "", port = "", pid, parent, group, ticks] = numbers.split(" ");
  const there = addressThere(address);
  // The kernel's files have the port in hex, lsof in decimal.
  const isHex = /^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(address);
  const number = isHex ? hexPort(port) : portIn(port);
  const name = nameThere(own || variable || "", { remote });
  if (there === undefined || number === undefined || name === undefined) return undefined;
  // The proxy of that machine, started in a shell that has a NAME.
  if (/localhostess.*\bserver start\b/.test(command)) return undefined;
  const started = clock === undefined ? 0 : clock.boot + countIn(ticks) / clock.hertz;
  return {
    address: there,
    port: number,
    pid: countIn(pid),
    parent: countIn(parent),
    group: countIn(group),
    startedAt: started > 0 ? Math.floor(started) * 1_000 : undefined,
    name,
    wanted: portIn(wanted),
    cwd: cwd ? printable(cwd, longestCommand) : undefined,
    command: printable(command.trim(), longestCommand),
  };
}

export function clockIn(text: string): ThereClock | undefined {
  const [boot, hertz] = text.split(" ").map(Number);
  return boot! > 0 && hertz! > 0 ? { boot: boot!, hertz: hertz! } : undefined;
}

function hexPort(text: string): number | undefined {
  return /^[0-9A-F]{4}$/i.test(text) ? portIn(String(Number.parseInt(text, 16))) : undefined;
}

function countIn(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** Each name once, sorted by name; of unrelated processes with one name, the newest has it. */
export function foundInRows(rows: readonly Row[]): Found[] {
  const found: Found[] = [];
  for (const [name, named] of Map.groupBy(rows, (row) => row.name)) {
    const [newest, ...others] = familiesOf(named);
    const pids = [...new Set(others.map((its) => its[0]!.pid))];
    const port = pickPort(
      newest!.map((row) => row.port) as [number, ...number[]],
      new Set(newest!.flatMap(({ wanted }) => wanted ?? [])),
    );
    const { command, cwd, startedAt } = newest!.find((row) => row.port === port)!;
    const address = addressOf(newest!, port);
    const warnings = pids.map((pid) => `NAME=${name} is also that of pid ${pid} there`);
    found.push({ name, address, port, command, cwd, startedAt, warnings });
    if (found.length >= mostServices) break;
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** IPv4 first, where a server has both: more of them are open on loopback. */
function addressOf(rows: readonly Row[], port: number): string {
  const addresses = rows.filter((row) => row.port === port).map(({ address }) => address);
  return addresses.find((address) => !address.includes(":")) ?? addresses[0]!;
}

/** Processes of one group, or of which one is another's parent, belong together. The newest first. */
function familiesOf(rows: readonly Row[]): Row[][] {
  const families: Row[][] = [];
  for (const row of rows) {
    const related = families.filter((its) => its.some((other) => areRelated(row, other)));
    for (const its of related) families.splice(families.indexOf(its), 1);
    families.push([...related.flat(), row]);
  }
  const age = (its: Row[]): number =>
    Math.max(...its.map(({ startedAt, pid }) => startedAt ?? pid));
  return families.sort((a, b) => age(b) - age(a));
}

function areRelated(a: Row, b: Row): boolean {
  return (
    a.pid === b.pid ||
    (a.group !== 0 && a.group === b.group) ||
    a.pid === b.parent ||
    b.pid === a.parent
  );
}
