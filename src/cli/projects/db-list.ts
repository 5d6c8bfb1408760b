/** `localhostess db list|clean` -> the stores that have data on this machine, and the end of what is left over. */
import { printable } from "../../text/printable.ts";
import { counted } from "../../text/counted.ts";
import { shownSize } from "../../text/size.ts";
import { ensureDaemon, tellStarted } from "../shared/daemon-here.ts";
import { printJson } from "../shared/json-output.ts";
import { shownFolder } from "../shared/rows.ts";
import { settingsOf } from "../shared/settings.ts";
import { type Column, tableLines } from "../shared/table.ts";
import type { World } from "../shared/world.ts";
import { answerOf } from "./asking.ts";
import { agreed, type DbFlags } from "./db-store.ts";

/** A row of `Stores`. */
export type KeptRow = {
  project: string;
  directory: string;
  service: string;
  store: string;
  folder: string;
  size: number;
  worktree: boolean;
  left: string | null;
  is_there: boolean;
};

/** Milliseconds: the files of all stores are counted. */
const patience = 120_000;

export async function dbList(flags: DbFlags, world: World): Promise<number> {
  const { rows } = await keptRows(world);
  if (flags.json) {
    printJson(world, rows);
    return 0;
  }
  const { out, err } = world;
  if (rows.length === 0) {
    err.write(`${err.colors.dim("no store has data")}\n`);
    return 0;
  }
  const columns = out.columns();
  const home = columns === undefined ? undefined : world.home;
  for (const line of tableLines(rows, columnsOf(home), { columns, colors: out.colors })) {
    out.write(`${line}\n`);
  }
  const left = rows.filter(isLeftOver);
  if (left.length > 0) {
    const what = `${counted(left.length, "store")} left over (${shownSize(sizeOf(left))})`;
    err.write(`${err.colors.dim(`${what}; localhostess db clean removes them`)}\n`);
  }
  return 0;
}

export async function dbClean(flags: DbFlags, world: World): Promise<number> {
  const { socket, rows } = await keptRows(world);
  const left = rows.filter(isLeftOver);
  const { err, out } = world;
  for (const row of left) {
    const what = `${row.project}:${row.service} (${row.store}, ${shownSize(row.size)})`;
    err.write(`${printable(what)} of ${printable(row.directory, 500)}${whyLeft(row)}\n`);
  }
  if (left.length > 0) {
    const what = `The data of ${counted(left.length, "store")} will be removed.`;
    await agreed(`${what} Remove it?`, flags, world);
  }
  for (const directory of new Set(left.map((row) => row.directory))) {
    await answerOf(socket, { StoreRemove: { project_path: directory } }, { deadline: patience });
  }
  const size = sizeOf(left);
  if (flags.json) printJson(world, { removed: left.length, size });
  else if (left.length === 0) out.write("no data is left over\n");
  else out.write(`removed the data of ${counted(left.length, "store")} (${shownSize(size)})\n`);
  return 0;
}

async function keptRows(world: World): Promise<{ socket: string; rows: KeptRow[] }> {
  const settings = await settingsOf({}, world);
  const daemon = await ensureDaemon({ flags: {}, settings, world });
  tellStarted(daemon, world);
  const { socket } = daemon.registration;
  const { Stores: rows } = await answerOf<{ Stores: KeptRow[] }>(socket, "Stores", {
    deadline: patience,
  });
  return { socket, rows };
}

/** Nobody will ask for it by itself: its project was forgotten, or its folder is gone. */
export function isLeftOver({ left, is_there: isThere }: KeptRow): boolean {
  return left !== null || !isThere;
}

function whyLeft(row: KeptRow): string {
  if (!row.is_there) return "  (the folder is gone)";
  return row.left === null ? "" : "  (the project was forgotten)";
}

function sizeOf(rows: readonly KeptRow[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}

function columnsOf(home: string | undefined): Column<KeptRow>[] {
  return [
    {
      title: "NAME",
      text: ({ project, service }) => printable(`${project}:${service}`),
      paint: (_, colors) => colors.bold,
      cut: "end",
      most: 40,
    },
    { title: "STORE", text: ({ store }) => printable(store) },
    { title: "SIZE", text: ({ size }) => shownSize(size), goes: 1 },
    {
      title: "FOLDER",
      text: (row) => `${printable(shownFolder(row.directory, home))}${whyLeft(row)}`,
      paint: (row, colors) => (isLeftOver(row) ? colors.dim : String),
      below: () => true,
      most: 48,
    },
  ];
}
