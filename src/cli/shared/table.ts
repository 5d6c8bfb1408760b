/** Rows and their columns -> aligned lines that fit a terminal: what matters least goes first. Pure. */
import type { Colors } from "./world.ts";

export type Column<Row> = {
  title: string;
  text(row: Row): string;
  paint?(row: Row, colors: Colors): (text: string) => string;
  /** Where a text is cut that finds no room: a path keeps its end. */
  cut?: "start" | "end";
  /** Whether a text that finds no room stands whole in a line of its own, below its row. */
  below?(row: Row): boolean;
  /** Such a text -> lines of at most so many columns, where it can be broken. */
  fold?(text: string, columns: number): readonly string[];
  /** Columns of the terminal that a text is cut down to before any column goes; without it, columns go first. */
  least?: number;
  /** Columns of the terminal. A text that is wider moves its own row only, where there is room for that. */
  most?: number;
  /** The column with the lowest number goes first; without a number, it stays. */
  goes?: number;
};

export type TableOptions = {
  /** Undefined: lines may be of any length. */
  columns: number | undefined;
  colors: Colors;
  /** False: rows only. */
  header?: boolean;
};

const gap = "  ";
/** Columns of the terminal that every text keeps. */
const leastOfAll = 8;

/** A text that is cut at the edge of the terminal, counting wide characters as two. */
export function fitted(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  const cut = Bun.sliceAnsi(text, 0, columns, "…");
  // A wide character at the edge hangs over it by one.
  return Bun.stringWidth(cut) > columns ? Bun.sliceAnsi(text, 0, columns - 1, "…") : cut;
}

/** The end of a text: of a path, the part that tells it apart, beginning with a folder's name where one is near. */
function endOf(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  const characters = [...text];
  let width = 1;
  let from = characters.length;
  while (from > 0) {
    width += Bun.stringWidth(characters[from - 1]!);
    if (width > columns) break;
    from--;
  }
  const end = characters.slice(from).join("");
  const slash = end.indexOf("/");
  return `…${slash > 0 && slash * 2 < end.length ? end.slice(slash) : end}`;
}

type Sized<Row> = { column: Column<Row>; width: number };

export type Table = {
  header: string;
  /** For each row its line, and further ones for texts that find no room in it. */
  rows: readonly (readonly [string, ...string[]])[];
};

export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: TableOptions,
): string[] {
  const table = tableOf(rows, columns, options);
  return [...((options.header ?? true) ? [table.header] : []), ...table.rows.flat()];
}

export function tableOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { columns: room, colors, header = true }: TableOptions,
): Table {
  const isCut = (column: Column<Row>): boolean => room !== undefined && column.cut !== undefined;
  const all = columns.map((column) => ({
    column,
    width: Math.max(
      header ? column.title.length : 0,
      naturalWidth(column, { rows, isCut: isCut(column) }),
    ),
  }));
  const sized = room === undefined ? all : fittedColumns(all, room);
  const titles = sized.map(
    ({ column: { title }, width }) => colors.dim(title) + " ".repeat(missing(title, width)),
  );
  return {
    header: fitted(titles.join(gap).trimEnd(), room),
    rows: rows.map((row) => linesOf(row, sized, { room, colors })),
  };
}

function naturalWidth<Row>(
  { text, most = Number.POSITIVE_INFINITY }: Column<Row>,
  { rows, isCut }: { rows: readonly Row[]; isCut: boolean },
): number {
  const widths = rows.map((row) => Bun.stringWidth(text(row)));
  const counted = isCut
    ? widths.map((width) => Math.min(width, most))
    : widths.filter((width) => width <= most);
  return Math.max(0, ...counted);
}

function total(sized: readonly { width: number }[]): number {
  return sized.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
}

/** Cuts what has a least width, takes columns away while that is not enough, and then cuts what is left. */
function fittedColumns<Row>(all: readonly Sized<Row>[], room: number): Sized<Row>[] {
  let kept = all;
  for (;;) {
    const shrunk = shrunkTo(kept, { room, least: ({ least }) => least });
    if (total(shrunk) <= room) return shrunk;
    const [first] = kept
      .filter(({ column }) => column.goes !== undefined)
      .sort((a, b) => a.column.goes! - b.column.goes!);
    if (first === undefined) return lastResort(kept, room);
    kept = kept.filter((its) => its !== first);
  }
}

/** Nothing more can go: everything is cut, and what cannot be cut stands below if even that is not enough. */
function lastResort<Row>(kept: readonly Sized<Row>[], room: number): Sized<Row>[] {
  const shrunk = shrunkTo(kept, { room, least: () => leastOfAll });
  if (total(shrunk) <= room) return shrunk;
  const below = kept.map((its) =>
    its.column.below !== undefined ? { ...its, width: its.column.title.length } : its,
  );
  return shrunkTo(below, { room, least: () => leastOfAll });
}

type ShrinkOptions<Row> = {
  room: number;
  /** Undefined: the column is not cut. */
  least(column: Column<Row>): number | undefined;
};

/** The columns that may be cut share what is missing, the widest first. */
function shrunkTo<Row>(
  sized: readonly Sized<Row>[],
  { room, least }: ShrinkOptions<Row>,
): Sized<Row>[] {
  const result = sized.map((its) => ({ ...its }));
  const isWide = ({ column, width }: Sized<Row>): boolean =>
    column.cut !== undefined && width > Math.max(least(column) ?? width, column.title.length);
  for (let over = total(result) - room; over > 0; over--) {
    const [widest] = result.filter(isWide).sort((a, b) => b.width - a.width);
    if (widest === undefined) break;
    widest.width--;
  }
  return result;
}

type LineOptions = { room: number | undefined; colors: Colors };

function linesOf<Row>(
  row: Row,
  sized: readonly Sized<Row>[],
  { room, colors }: LineOptions,
): [string, ...string[]] {
  const below: string[] = [];
  const widths = sized.map(({ column, width }) => ({
    width: Math.max(width, Bun.stringWidth(column.text(row))),
  }));
  // A wide text moves the others of its row where all of them have room.
  const isFree = room === undefined || total(widths) <= room;
  const cells = sized.map(({ column, width }, at) => {
    const text = column.text(row);
    const paint = column.paint?.(row, colors) ?? String;
    const isLast = at === sized.length - 1;
    const own = Bun.stringWidth(text);
    const most = isFree ? own : width;
    let shown = text;
    if (own > most) {
      if (column.below?.(row)) {
        const lines =
          room === undefined ? [text] : (column.fold?.(text, room - gap.length) ?? [text]);
        below.push(...lines.map((line) => gap + paint(line)));
        shown = "";
      } else shown = column.cut === "start" ? endOf(text, most) : fitted(text, most);
    }
    return isLast ? paint(shown) : paint(shown) + " ".repeat(missing(shown, width));
  });
  return [fitted(cells.join(gap).trimEnd(), room), ...below];
}

function missing(text: string, width: number): number {
  return Math.max(0, width - Bun.stringWidth(text));
}
