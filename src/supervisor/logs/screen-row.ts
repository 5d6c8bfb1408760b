/** Characters, put where a cursor stands -> a row's cells, and its text as it is shown. */
import { change, type Style } from "./text-style.ts";

/** Cells of a row; further text is counted and thrown away. */
export const longestRow = 64 * 1024;

/** Combining characters that one cell may gather. */
const longestCell = 32;

export class ScreenRow {
  /** A character of two columns has an empty cell behind it. */
  #cells: string[] = [];
  #styles: Style[] = [];
  /** A cell was written over or erased: spaces at the end are traces of what was there. */
  #edited = false;
  /** Bytes beyond `longestRow`. */
  dropped = 0;
  /** The text that the log has of it. */
  told: string | undefined;
  /** The text with which the cursor left it last, where it came back to it or left it unfinished; and since when. */
  left: string | undefined;
  changedAt = 0;
  /** True for a row that was changed after the log had it. */
  reopened = false;

  get length(): number {
    return this.#cells.length;
  }

  get isPristine(): boolean {
    return this.told === undefined && this.left === undefined && this.#cells.length === 0;
  }

  /** Whether the log lacks what stands there. */
  get isOwed(): boolean {
    return this.left !== undefined && this.left !== this.told;
  }

  /** @returns the column behind it. */
  put(
    character: string,
    { at, width, style }: { at: number; width: number; style: Style },
  ): number {
    this.#touch();
    if (width === 0) {
      this.#combine(character, at);
      return at;
    }
    if (at + width > longestRow) {
      this.dropped += Buffer.byteLength(character);
      return at;
    }
    if (at < this.#cells.length) this.#edited = true;
    this.#pad(at);
    this.#part(at);
    this.#part(at + width);
    this.#cells[at] = character;
    this.#styles[at] = style;
    if (width === 2) {
      this.#cells[at + 1] = "";
      this.#styles[at + 1] = style;
    }
    return at + width;
  }

  /** The rest of the row, from that column on. */
  cutAt(at: number): void {
    this.#touch();
    if (at >= this.#cells.length) return;
    this.#part(at);
    this.#cells.length = this.#styles.length = at;
    this.#edited = true;
    this.dropped = 0;
  }

  /** Blanks cells, and moves none. */
  blank(from: number, to: number): void {
    this.#touch();
    this.#part(from);
    this.#part(to);
    this.#cells.fill(" ", from, to);
    this.#styles.fill("", from, to);
    this.#edited = true;
  }

  /** Takes cells out; those behind them close up. */
  remove(at: number, count: number): void {
    this.#touch();
    this.#part(at);
    this.#part(at + count);
    this.#cells.splice(at, count);
    this.#styles.splice(at, count);
    this.#edited = true;
  }

  /** Makes room; the cells behind it move on. */
  insert(at: number, count: number): void {
    this.#touch();
    if (at >= this.#cells.length) return;
    this.#part(at);
    const room = Math.max(0, Math.min(count, longestRow - this.#cells.length));
    this.#cells.splice(at, 0, ...new Array<string>(room).fill(" "));
    this.#styles.splice(at, 0, ...new Array<Style>(room).fill(""));
    this.#edited = true;
  }

  text(): string {
    let end = this.#cells.length;
    if (this.#edited) {
      while (end > 0 && this.#cells[end - 1] === " " && this.#styles[end - 1] === "") end--;
    }
    return this.#shown(end);
  }

  /** With the spaces at its end: the cursor stands behind them. */
  prompt(cursor: number): string {
    const whole = this.text();
    return this.#edited && cursor >= this.#cells.length ? this.#shown(cursor) : whole;
  }

  #shown(end: number): string {
    let shown = "";
    let style: Style = "";
    for (let at = 0; at < end; at++) {
      const its = this.#styles[at] ?? "";
      if (its !== style) shown += change(style, its);
      style = its;
      shown += this.#cells[at] ?? " ";
    }
    return shown + change(style, "");
  }

  #touch(): void {
    if (this.told !== undefined) this.reopened = true;
  }

  #pad(to: number): void {
    while (this.#cells.length < to) {
      this.#cells.push(" ");
      this.#styles.push("");
    }
  }

  /** Half of a character of two columns cannot be shown. */
  #part(at: number): void {
    if (at === 0 || this.#cells[at] !== "") return;
    this.#cells[at - 1] = this.#cells[at] = " ";
  }

  #combine(character: string, at: number): void {
    let base = Math.min(at, this.#cells.length) - 1;
    if (base > 0 && this.#cells[base] === "") base--;
    const its = this.#cells[base];
    if (its !== undefined && its.length < longestCell) this.#cells[base] = its + character;
  }
}
