/** The monitor's picture of services -> the lines of its screen. Pure. */
import { pendingLines } from "./pending-note.ts";
import { printable } from "../../text/printable.ts";
import type { Row } from "./asking.ts";
import { tame } from "./logs.ts";
import { statusTable } from "./status.ts";
import type { Colors } from "../shared/world.ts";

export type Picture = {
  rows: readonly Row[];
  /** Index into `rows`. */
  selected: number;
  /** The output of the selected service, oldest first. */
  lines: readonly string[];
  /** The last action, or an error. */
  notice: string;
  /** Projects that are not shown; empty where all are. */
  others: string;
};

export type Size = { columns: number; rows: number };

const help = "↑↓ choose  s start  x stop  r restart  a attach  q quit";

/** As many lines as the terminal has, cut to its width. */
export function monitorScreen(
  { rows, selected, lines, notice, others }: Picture,
  { size, colors, colored }: { size: Size; colors: Colors; colored: boolean },
): string[] {
  const { columns } = size;
  const fit = (line: string): string => Bun.sliceAnsi(line, 0, Math.max(1, columns), "…");
  const row = rows[selected];
  const table = statusTable(rows, { colors, columns: () => Math.max(1, columns - 2) });
  const services = table.rows.map(([line]) => line);
  // The list takes at most half of the screen, and scrolls with the selection.
  const room = Math.max(1, Math.min(services.length, Math.floor((size.rows - 4) / 2)));
  const from = Math.max(0, Math.min(selected - Math.floor(room / 2), services.length - room));
  const list = services
    .slice(from, from + room)
    .map((line, at) => `${from + at === selected ? colors.cyan("›") : " "} ${line}`);
  const remarks = row === undefined ? [] : remarksOn(row, colors);
  const none = others === "" ? "no projects yet; start one with: localhostess up" : others;
  // An address that finds no room in its row.
  const isBelow = (table.rows[selected]?.length ?? 1) > 1;
  const where = row === undefined || row.url === null || !isBelow ? "" : `  ${row.url}`;
  const title = row === undefined ? none : `${row.name}${where}`;
  const top = [`  ${table.header}`, ...list, "", colors.bold(title), ...remarks];
  const elsewhere = row === undefined ? "" : others;
  const notes = [notice, help, elsewhere].filter((text) => text !== "");
  const bottom = [colors.dim(notes.join("  ·  "))];
  const left = Math.max(0, size.rows - top.length - bottom.length);
  const output = lines.slice(-left || lines.length).map((line) => tame(line, colored));
  const shown = left === 0 ? [] : output;
  const blank = Array.from({ length: left - shown.length }, () => "");
  return [...top, ...shown, ...blank, ...bottom].slice(0, size.rows).map(fit);
}

function remarksOn(row: Row, colors: Colors): string[] {
  return [
    ...(row.why === null ? [] : [colors.dim(printable(row.why, 300))]),
    ...(row.says === null ? [] : [colors.dim(`says: ${printable(row.says, 300)}`)]),
    ...row.warnings.map((text) => colors.yellow(`! ${printable(text, 300)}`)),
    ...pendingLines([row]).map((text) => colors.yellow(`! ${text}`)),
  ];
}
