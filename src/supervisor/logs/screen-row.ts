/** Characters, put where a cursor stands -> a row's cells, and its text as it is shown. */
import { change, type Style } from "./text-style.ts";

/** Cells of a row; further text is counted and thrown away. */
export const longestRow = 64 * 1024;

/** Combining characters that one cell may gather. */
const longestCell = 32;

/** Cells of a row above which its text is read when it is needed, and not each time that the cursor leaves it. */
const longRow = 4096;

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
  /** Since when the cursor has left it as it stands. */
  changedAt = 0;
  /** True for a row that was changed after the log had it. */
  reopened = false;
  #left: string | undefined;
  /** The cursor has left it, and `#left` is of before. */
  #isStale = false;
  /** Its text, while no cell changes. */
  #text: string | undefined;

  /** The text with which the cursor left it last, where it came back to it or left it unfinished. */
  get left(): string | undefined {
    if (this.#isStale) this.left = this.text();
    return this.#left;
  }

  set left(text: string | undefined) {
    this.#left = text;
    this.#isStale = false;
  }

  /** Whether it has such a text. */
  get isLeft(): boolean {
    return this.#isStale || this.#left !== undefined;
  }

  /** The cursor goes elsewhere. `isEnded`: by the row's end, so that an empty one counts too. */
  leave({ now, isEnded }: { now: number; isEnded: boolean }): void {
    if (this.#cells.length > longRow) {
      // A short sequence that passes it again and again would have all of it read each time.
      if (this.#text !== undefined && this.#text === (this.#left ?? this.told)) return;
      this.#isStale = true;
      this.changedAt = now;
      return;
    }
    const text = this.text();
    const before = this.left ?? this.told;
    if (text === before || (before === undefined && text === "" && !isEnded)) return;
    this.left = text;
    this.changedAt = now;
  }

  get length(): number {
    return this.#cells.length;
  }

  get isPristine(): boolean {
    return this.told === undefined && !this.isLeft && this.#cells.length === 0;
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

  /** Takes cells out; those behind them, up to `end`, close up. */
  remove(at: number, { count, end }: { count: number; end: number }): void {
    this.#touch();
    const to = Math.min(end, this.#cells.length);
    if (at >= to) return;
    for (const edge of [at, at + count, to]) this.#part(edge);
    const from = Math.min(to, at + count);
    this.#cells.copyWithin(at, from, to);
    this.#styles.copyWithin(at, from, to);
    const gone = to - (from - at);
    if (to === this.#cells.length) this.#cells.length = this.#styles.length = gone;
    else {
      this.#cells.fill(" ", gone, to);
      this.#styles.fill("", gone, to);
    }
    this.#edited = true;
  }

  /** Makes room; the cells behind it move on, and are lost beyond `end`. */
  insert(at: number, { count, end }: { count: number; end: number }): void {
    this.#touch();
    if (at >= this.#cells.length) return;
    const room = Math.min(count, end - at);
    const before = this.#cells.length;
    const to = Math.min(Math.max(before, end), before + room, longestRow);
    for (const edge of [at, end - room, end]) this.#part(edge);
    this.#pad(to);
    const last = Math.min(end, to);
    const kept = Math.max(at, last - room);
    this.#cells.copyWithin(at + room, at, kept);
    this.#styles.copyWithin(at + room, at, kept);
    const blank = Math.min(at + room, last);
    this.#cells.fill(" ", at, blank);
    this.#styles.fill("", at, blank);
    this.#edited = true;
  }

  text(): string {
    this.#text ??= this.#textNow();
    return this.#text;
  }

  #textNow(): string {
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
    this.#text = undefined;
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
