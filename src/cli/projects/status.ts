/** `localhostess status [service...]` -> the services of this project: state, process, address, usage and warnings. */
import { counted } from "../../text/counted.ts";
import { printable } from "../../text/printable.ts";
import type { Exit } from "../../routes/supervised.ts";
import { shownDuration } from "../../text/duration.ts";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";
import { pendingLines, tellPending } from "./pending-note.ts";
import type { Flags } from "../shared/settings.ts";
import { daemonSocket, knownOf, type Row } from "./asking.ts";
import { othersText, rowsFor, rowsShown } from "./here.ts";
import type { Colors, Screen, World } from "../shared/world.ts";

export type StatusFlags = Flags & { all?: boolean };

export async function status(
  words: readonly string[],
  flags: StatusFlags,
  world: World,
): Promise<number> {
  const { out, err } = world;
  const socket = await daemonSocket(flags, world);
  if (socket === undefined) {
    if (flags.json) out.write("[]\n");
    return 1;
  }
  const { rows, servers } = await knownOf(socket);
  const shown = words.length > 0 || flags.all ? undefined : await rowsShown({ rows, world });
  const these = shown?.rows ?? (await rowsFor(words, { rows, servers, all: flags.all, world }));
  const others = shown && othersText(shown, { verb: "status" });
  const tellOthers = (): void => {
    if (others !== undefined) err.write(`${err.colors.dim(others)}\n`);
  };
  if (flags.json) {
    tellPending(these, world);
    // An empty list says nothing about why it is empty.
    if (these.length === 0) tellOthers();
    out.write(`${JSON.stringify(these, undefined, 2)}\n`);
    return 0;
  }
  if (these.length === 0 && others === undefined) {
    err.write(`${err.colors.dim("no projects yet; start one with: localhostess up")}\n`);
    return 0;
  }
  if (these.length > 0) for (const line of statusLines(these, out)) out.write(`${line}\n`);
  tellOthers();
  return 0;
}

type Cell = { text: string; paint: (text: string) => string };

const titles = [
  "NAME",
  "STATE",
  "PID",
  "PORT",
  "UPTIME",
  "RESTARTS",
  "EXIT",
  "CPU",
  "MEMORY",
  "URL",
];

/** One line each, without line ends; below them what wants to be read. */
export function statusLines(
  rows: readonly Row[],
  screen: Pick<Screen, "colors" | "columns">,
): string[] {
  const { colors } = screen;
  const width = screen.columns();
  const { lines, isWhole } = statusTable(rows, screen);
  const warnings = warningsOf(rows);
  const remarks = rows.flatMap((row) => [
    ...(isWhole || row.url === null ? [] : [`  ${row.name}: ${colors.cyan(row.url)}`]),
    ...(whyOf(row) === null ? [] : [colors.dim(`  ${row.name}: ${printable(whyOf(row)!, 300)}`)]),
    ...(row.says === null ? [] : [colors.dim(`  ${row.name} says: ${printable(row.says, 300)}`)]),
    ...(warnings.get(row.name) ?? []).map((text) => colors.yellow(`! ${text}`)),
  ]);
  remarks.push(...sharedLines(rows).map((text) => colors.dim(`  ${text}`)));
  remarks.push(...pendingLines(rows).map((text) => colors.yellow(`! ${text}`)));
  return [
    ...lines,
    ...remarks.flatMap((line) =>
      width === undefined
        ? [line]
        : Bun.wrapAnsi(line, width, { hard: true, trim: false }).split("\n"),
    ),
  ];
}

/** The titles, then a line for each service. `isWhole`: there was room for the addresses. */
export function statusTable(
  rows: readonly Row[],
  { colors, columns }: Pick<Screen, "colors" | "columns">,
): { lines: string[]; isWhole: boolean } {
  const width = columns();
  const all = [
    titles.map((text) => ({ text, paint: colors.dim })),
    ...rows.map((row) => cellsOf(row, colors)),
  ];
  const widths = titles.map((_, at) => Math.max(...all.map((row) => row[at]!.text.length)));
  const isWhole = width === undefined || widths.reduce((sum, its) => sum + its + 2, -2) <= width;
  // Half an address is of no use to anyone.
  const cells = isWhole ? all : all.map((row) => row.slice(0, -1));
  const table = cells.map((row) =>
    row
      .map(({ text, paint }, at) => paint(at === row.length - 1 ? text : text.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd(),
  );
  const fit = (line: string): string =>
    width === undefined ? line : Bun.sliceAnsi(line, 0, width, "…");
  return { lines: table.map(fit), isWhole };
}

/** For a person: the reason of its state. */
function whyOf({ why, lazy, state }: Row): string | null {
  return why ?? (lazy && state === "stopped" ? "starts with its first request" : null);
}

/** By the first row that has it: a warning about a project is printed once, with the names of its services. */
function warningsOf(rows: readonly Row[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, warnings } of rows) {
    for (const text of new Set(warnings)) names.set(text, [...(names.get(text) ?? []), name]);
  }
  const found = new Map<string, string[]>();
  for (const [text, those] of names) {
    const line = `${listed(those, { most: 3 })}: ${printable(text, 500)}`;
    found.set(those[0]!, [...(found.get(those[0]!) ?? []), line]);
  }
  return found;
}

/** `shop:web: http://shop.localhost:9090 goes to each ready one of 3 instances in turn (2)`. */
function sharedLines(rows: readonly Row[]): string[] {
  const groups = Map.groupBy(rows, ({ project, instance }) =>
    instance?.url ? `${project}:${instance.of}` : "",
  );
  groups.delete("");
  return [...groups].map(([name, its]) => {
    const ready = its.filter((row) => row.ready).length;
    const count = counted(its.length, "instance");
    return `${name}: ${its[0]!.instance!.url} goes to each ready one of ${count} in turn (${ready})`;
  });
}

function cellsOf(row: Row, colors: Colors): Cell[] {
  const plain = (text: string): Cell => ({ text, paint: String });
  const dash = "-";
  return [
    { text: row.name, paint: colors.bold },
    { text: row.state, paint: stateColor(row.state, colors) },
    plain(row.pid === null ? dash : String(row.pid)),
    plain(row.port === null ? dash : `:${row.port}`),
    plain(row.uptime === null ? dash : shownDuration(row.uptime)),
    plain(String(row.restarts)),
    plain(row.exit === null ? dash : shownExit(row.exit)),
    plain(row.cpu === null ? dash : `${row.cpu.toFixed(1)}%`),
    plain(memoryOf(row) ?? dash),
    row.url === null ? plain(dash) : { text: row.url, paint: colors.cyan },
  ];
}

export function stateColor(state: Row["state"], colors: Colors): (text: string) => string {
  if (state === "ready" || state === "completed") return colors.green;
  if (state === "failed") return colors.red;
  return state === "stopped" || state === "exited" ? colors.dim : colors.yellow;
}

/** `47 MiB`, `47 MiB of 1.0 GiB`. */
function memoryOf({ memory, memory_limit }: Row): string | undefined {
  if (memory === null) return undefined;
  const limit = memory_limit === null ? "" : ` of ${shownSize(memory_limit)}`;
  return `${shownSize(memory)}${limit}`;
}

/** `0`, `1`, `SIGKILL`. */
export function shownExit({ code, signal }: Pick<Exit, "code" | "signal">): string {
  return signal ?? String(code ?? "?");
}
