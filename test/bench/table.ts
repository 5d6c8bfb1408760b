/** Measured rows into a table for people: ours, theirs, ratio, target, and whether it was reached. */

export type Unit = "req/s" | "MB/s" | "MiB" | "ms" | "us";

export type Target = { of: "ratio" | "ours"; least?: number; most?: number };

export type Row = {
  label: string;
  unit: Unit;
  ours: number;
  theirs?: number;
  ratio?: number;
  target?: Target;
};

/** What one measure found, and sentences that help to read it. */
export type Measured = { rows: Row[]; notes: string[] };

/** Undefined where there is no target. */
export function reached({ ours, ratio, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  const value = target.of === "ours" ? ours : ratio;
  if (value === undefined) return false;
  return value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity);
}

export function tableText(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.label,
    amount(row.ours, row.unit),
    row.theirs === undefined ? "" : amount(row.theirs, row.unit),
    row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}x`,
    targetText(row),
    { true: "ok", false: "short", undefined: "" }[String(reached(row))]!,
  ]);
  const all = [["", "ours", "theirs", "ratio", "target", ""], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  return all
    .map((line) =>
      line
        .map((cell, at) =>
          at === 0 || at === 5 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function amount(value: number, unit: Unit): string {
  const digits = unit === "ms" || unit === "us" || unit === "MiB" ? 1 : 0;
  return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}

function targetText({ target, unit }: Row): string {
  if (target === undefined) return "";
  const bound = target.least === undefined ? `<= ${target.most}` : `>= ${target.least}`;
  return target.of === "ratio" ? `${bound}x` : `${bound} ${unit}`;
}
