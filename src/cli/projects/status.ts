/** `localhostess status [service...]` -> the services of this project: state, process, address, usage and warnings. */
import { counted } from "../../text/counted.ts";
import { printable, printablePath } from "../../text/printable.ts";
import type { Exit } from "../../routes/supervised.ts";
import { shownDuration } from "../../text/duration.ts";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";
import { pendingLines, tellPending } from "./pending-note.ts";
import { printJson } from "../shared/json-output.ts";
import type { Flags } from "../shared/settings.ts";
import { daemonSocket, knownOf, type Row } from "./asking.ts";
import { type PlannedRow, withPlansShown } from "./plans-shown.ts";
import { noNamesWithAll, othersText, rowsFor, rowsShown } from "./here.ts";
import { shownFolder } from "../shared/rows.ts";
import { remarkLines } from "../shared/remark.ts";
import { type Column, type Table, tableOf } from "../shared/table.ts";
import type { Colors, Screen, World } from "../shared/world.ts";

export type StatusFlags = Flags & { all?: boolean };

export async function status(
  words: readonly string[],
  flags: StatusFlags,
  world: World,
): Promise<number> {
  const { out, err } = world;
  noNamesWithAll(words, flags.all ?? false);
  const socket = await daemonSocket(flags, world);
  if (socket === undefined) return 1;
  const { rows, servers } = await knownOf(socket);
  const shown = words.length > 0 || flags.all ? undefined : await rowsShown({ rows, world });
  const these = shown?.rows ?? (await rowsFor(words, { rows, servers, all: flags.all, world }));
  const others = shown && othersText(shown, { verb: "status" });
  const tellOthers = (): void => {
    if (others !== undefined) err.write(`${err.colors.dim(others)}\n`);
  };
  const planned = await withPlansShown(these, { flags, world });
  if (flags.json) {
    tellPending(these, world);
    // An empty list says nothing about why it is empty.
    if (these.length === 0) tellOthers();
    printJson(world, planned);
    return 0;
  }
  if (these.length === 0 && others === undefined) {
    err.write(`${err.colors.dim("no projects yet; start one with: localhostess up")}\n`);
    return 0;
  }
  const width = out.columns();
  // In a pipe, another program reads it.
  const home = width === undefined ? undefined : world.home;
  const screen = { colors: out.colors, columns: () => width, home };
  if (these.length > 0) for (const line of statusLines(planned, screen)) out.write(`${line}\n`);
  tellOthers();
  return 0;
}

/** One line each, without line ends; below them what wants to be read. */
export function statusLines(
  rows: readonly (Row & Partial<PlannedRow>)[],
  screen: StatusScreen,
): string[] {
  const { colors } = screen;
  const width = screen.columns();
  const table = statusTable(rows, screen);
  const warnings = warningsOf(rows);
  const remark = (text: string) => remarkLines(`  ${text}`, { columns: width, paint: colors.dim });
  const warning = (text: string) =>
    remarkLines(`! ${text}`, { columns: width, paint: colors.yellow });
  return [
    table.header,
    ...table.rows.flat(),
    ...rows.flatMap((row) => [
      ...[remarkOf(row) ?? []].flat().flatMap((text) => remark(printable(text, 2_000))),
      ...(row.plugin == null ? [] : remark(madeBy(row))),
      ...remarkOfSaid(row).flatMap(remark),
      ...(warnings.get(row.name) ?? []).flatMap(warning),
    ]),
    ...sharedLines(rows).flatMap(remark),
    ...pendingLines(rows).flatMap(warning),
  ];
}

function madeBy({ name, plugin, plan }: Row & Partial<PlannedRow>): string {
  const more = plan == null ? "" : `; its plan: localhostess plugin plan ${plan.service}`;
  return `${name} is made by the plugin ${plugin}${more}`;
}

/** The columns that say the least about a service go first; its address and its folder stay. */
const columns: readonly Column<Row>[] = [
  {
    title: "NAME",
    text: ({ name }) => name,
    paint: (_, colors) => colors.bold,
    cut: "end",
    most: 32,
  },
  {
    title: "STATE",
    text: ({ state }) => state,
    paint: ({ state }, colors) => stateColor(state, colors),
  },
  { title: "PID", text: ({ pid }) => (pid === null ? dash : String(pid)), goes: 6 },
  { title: "PORT", text: ({ port }) => (port === null ? dash : `:${port}`), goes: 7 },
  {
    title: "UPTIME",
    text: ({ uptime }) => (uptime === null ? dash : shownDuration(uptime)),
    goes: 5,
  },
  { title: "RESTARTS", text: ({ restarts }) => String(restarts), goes: 3 },
  { title: "EXIT", text: ({ exit }) => (exit === null ? dash : shownExit(exit)), goes: 2 },
  { title: "CPU", text: ({ cpu }) => (cpu === null ? dash : `${cpu.toFixed(1)}%`), goes: 1 },
  { title: "MEMORY", text: (row) => memoryOf(row) ?? dash, goes: 4 },
  {
    title: "URL",
    text: ({ url }) => url ?? dash,
    paint: ({ url }, colors) => (url === null ? String : colors.cyan),
    below: ({ url }) => url !== null,
    most: 48,
  },
];

const dash = "-";

export type StatusScreen = Pick<Screen, "colors" | "columns"> & {
  /** The person's own folder, shown as `~`; undefined: folders are shown in full. */
  home?: string | undefined;
};

export function statusTable(
  rows: readonly Row[],
  { colors, columns: width, home }: StatusScreen,
): Table {
  const folder: Column<Row> = {
    title: "FOLDER",
    text: ({ path }) => printablePath(shownFolder(path, home)),
    paint: () => colors.dim,
    cut: "start",
    most: 40,
  };
  return tableOf(rows, [...columns, folder], { colors, columns: width() });
}

/** For a person: its state, the cause and the command that helps. Undefined where its column says it all. */
function remarkOf({ name, state, why, lazy, message }: Row): string | undefined {
  if (state !== "ready") {
    const saysAll = why === null && !lazy && (state === "stopped" || state === "completed");
    return saysAll ? undefined : message;
  }
  return why === null ? undefined : `${name}: ${why}`;
}

/** The words of its process, where its state has not told them already. */
function remarkOfSaid(row: Row): string[] {
  const { name, says } = row;
  if (says === null || (remarkOf(row) ?? "").includes(says)) return [];
  return [`${name} says: ${printable(says, 300)}`];
}

/** By the first row that has it: a warning about a project is printed once, with the names of its services. */
function warningsOf(rows: readonly Row[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const row of rows) {
    const { name } = row;
    const told = remarkOf(row) ?? "";
    for (const text of new Set(row.warnings)) {
      if (!told.includes(text)) names.set(text, [...(names.get(text) ?? []), name]);
    }
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

function stateColor(state: Row["state"], colors: Colors): (text: string) => string {
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
function shownExit({ code, signal }: Pick<Exit, "code" | "signal">): string {
  return signal ?? String(code ?? "?");
}
