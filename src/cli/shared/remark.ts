/** A sentence that stands below a table -> its lines, which fit the terminal. Pure. */

export type RemarkOptions = {
  /** Undefined: one line of any length. */
  columns: number | undefined;
  paint(text: string): string;
};

/** Columns by which every line but the first is indented further than the sentence is. */
const further = 2;

/** A sentence keeps the spaces that it begins with; words of any length are broken at the edge. */
export function remarkLines(text: string, { columns, paint }: RemarkOptions): string[] {
  if (columns === undefined) return [paint(text)];
  const own = text.length - text.trimStart().length;
  const indent = " ".repeat(Math.min(own + further, Math.max(0, columns - 1)));
  const width = Math.max(1, columns - indent.length);
  const wrapped = Bun.wrapAnsi(text.trimStart(), width, { hard: true }).split("\n");
  return wrapped.map((line, at) => paint((at === 0 ? indent.slice(0, own) : indent) + line));
}
