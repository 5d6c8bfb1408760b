/** Output that moves the cursor -> the rows of a terminal, each a line once it stands. */
import { longestRow, ScreenRow } from "./screen-row.ts";
import { type Style, styleAfter } from "./text-style.ts";

export type Size = { cols: number; rows: number };

/** `dropped`: bytes that the row had no room for. */
export type TellRow = (text: string, dropped: number) => void;

export type ScreenOptions = {
  /** Milliseconds, on a clock that is not set. */
  now(): number;
  /** A line of before, from the newest, 0, backwards; undefined: it is not known any more. */
  recall(back: number): string | undefined;
};

/**
 * Milliseconds after which a row that was written again counts as complete. Spinners turn every 80 to 130 ms, and
 * clocks in progress bars count seconds.
 */
export const settling = 1500;

/** Characters of an escape sequence that is not complete yet. */
const longestEscape = 128;

/** Columns of a stream that is no terminal. */
const unbounded = 1 << 30;
const usualRows = 40;
/** Column to which a cursor goes beyond the text of such a stream: no screen is wider. */
const farthest = 1024;
/** Columns and rows that are followed: a client may say that it has 65,535, and each may be full of text. */
const largest: Size = { cols: 4096, rows: 512 };

/** Characters of a string for the terminal, such as a picture; one without an end hides no more than that. */
const longestString = 1024 * 1024;

const plain = /[^\u0000-\u001f\u007f-\u009f]+/y;
const ascii = /^[\x20-\x7e]*$/;
const csi = /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])/y;
const csiBegun = /(?:\u001b\[|\u009b)[0-?]*[ -/]*$/y;
const csiBroken = /(?:\u001b\[|\u009b)[0-?]*[ -/]*/y;
const shortEscape = /\u001b([ -/]*)([0-~])/y;
const escapeBegun = /\u001b[ -/]*$/y;
/** OSC, DCS, SOS, PM and APC have text of their own, up to ST or BEL. */
const stringBegins = /\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f]/y;
const stringEnds = /[\u0007\u0018\u001a\u001b\u009c]/g;
/** An OSC is a line at most: one that was cut does not hide those behind it. Pictures have lines. */
const titleEnds = /[\u0007\n\u0018\u001a\u001b\u009c]/g;

export class TerminalScreen {
  readonly #options: ScreenOptions;
  #cols = unbounded;
  #height = usualRows;
  readonly #decoder = new TextDecoder();

  /** The rows that the cursor may still come to, as far as they are known; the log has those above them. */
  #rows: ScreenRow[] = [new ScreenRow()];
  #at = 0;
  /** The cell of the row in which the cursor stands; rows on the screen are `#cols` cells of it. */
  #cell = 0;
  /** The last column is written: the next character begins a row of the screen, and the cursor is not there yet. */
  #full = false;
  #style: Style = "";
  #saved: { row: ScreenRow; cell: number } | undefined;
  /** An escape sequence whose end has not come. */
  #cut = "";
  /** A string for the terminal, which has no end yet. */
  #inString: { isTitle: boolean; length: number } | undefined;
  #alternate = false;
  /** Lines that have ended since the screen was empty. */
  #depth = 0;
  /** Lines that were told since `#rows` began, and rows that were recalled. */
  #told = 0;
  #recalled = 0;
  #clearedAt = Number.NEGATIVE_INFINITY;
  /** Cleared again so soon that it is one picture, drawn again and again. */
  #restless = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Undefined: a stream without columns. */
  set size(size: Size | undefined) {
    const { cols, rows } = size ?? { cols: unbounded, rows: usualRows };
    this.#cols = size === undefined ? unbounded : Math.max(1, Math.min(cols, largest.cols));
    this.#height = Math.max(1, Math.min(rows, largest.rows));
  }

  /** A full-screen program has the alternate screen. */
  get isFull(): boolean {
    return this.#alternate;
  }

  /** Nothing is left that later output could change, but for lines that can be recalled. */
  get isAtRest(): boolean {
    if (this.#alternate || this.#inString !== undefined || this.#cut !== "") return false;
    const last = this.#rows.length - 1;
    if (this.#at !== last || !this.#rows[last]!.isPristine || this.#cell !== 0) return false;
    return this.#rows.every(
      (row, at) => at === last || (row.told !== undefined && !row.isLeft && !row.reopened),
    );
  }

  /** Begins again with the row of the cursor. `ended`: lines that have ended while it was at rest. */
  begin(ended: number): void {
    this.#rows = [new ScreenRow()];
    this.#at = this.#cell = this.#told = this.#recalled = 0;
    this.#full = false;
    this.#style = "";
    this.#saved = undefined;
    this.#depth += ended;
  }

  /** @returns how much of it was taken: it stops behind a line where it is at rest. */
  push(bytes: Uint8Array, tell: TellRow): number {
    for (let from = 0; from < bytes.length;) {
      const end = bytes.indexOf(10, from);
      const to = end === -1 ? bytes.length : end + 1;
      this.#run(this.#decoder.decode(bytes.subarray(from, to), { stream: true }), tell);
      from = to;
      if (end !== -1 && this.isAtRest) return from;
    }
    return bytes.length;
  }

  /** Tells rows that stand. @returns milliseconds until the next one may. */
  settle(tell: TellRow): number | undefined {
    let next: number | undefined;
    this.#rows.forEach((row, at) => {
      if (!row.isOwed || at === this.#at) return;
      const left = row.changedAt + settling - this.#options.now();
      if (left <= 0) this.#tellLeft(row, tell);
      else next = Math.min(next ?? left, left);
    });
    return next;
  }

  /** The text of the row that the cursor is in, where the log lacks it. */
  get open(): string | undefined {
    if (this.#alternate) return undefined;
    const row = this.#rows[this.#at]!;
    const text = row.prompt(this.#cell);
    return text === "" || text === row.told ? undefined : text;
  }

  /** The output has ended: all that stands there is told. */
  flush(tell: TellRow): void {
    this.#alternate = this.#restless = false;
    this.#inString = undefined;
    this.#cut = "";
    this.#decoder.decode();
    for (const row of this.#rows) {
      if (row === this.#rows[this.#at]) row.left = row.text();
      if (row.isOwed) this.#tellLeft(row, tell);
    }
    this.#depth = 0;
    this.#clearedAt = Number.NEGATIVE_INFINITY;
    this.begin(0);
  }

  // --- text and controls

  #run(added: string, tell: TellRow): void {
    const text = this.#cut + added;
    this.#cut = "";
    for (let at = 0; at < text.length;) {
      if (this.#inString !== undefined) {
        at = this.#skip(text, at);
        continue;
      }
      plain.lastIndex = at;
      const run = plain.exec(text)?.[0];
      if (run !== undefined) {
        this.#print(run);
        at += run.length;
        continue;
      }
      const code = text.charCodeAt(at);
      if (code === 0x1b || code >= 0x80) {
        const end = this.#escape(text, at, tell);
        if (end === undefined) return;
        at = end;
      } else {
        this.#control(code, tell);
        at += 1;
      }
    }
  }

  #skip(text: string, at: number): number {
    const its = this.#inString!;
    const ends = its.isTitle ? titleEnds : stringEnds;
    ends.lastIndex = at;
    const found = ends.exec(text);
    its.length += (found?.index ?? text.length) - at;
    if (found === null && its.length <= longestString) return text.length;
    this.#inString = undefined;
    if (found === null) return text.length;
    // The backslash of ST is read as an escape of its own, and the line ends.
    return found[0] === "\u001b" || found[0] === "\n" ? found.index : found.index + 1;
  }

  #control(code: number, tell: TellRow): void {
    if (code === 10 || code === 11 || code === 12) this.#newline(tell);
    else if (code === 13) this.#column(0);
    else if (code === 8) this.#column(this.#columnNow() - 1);
    else if (code === 9 && !this.#alternate) {
      const column = this.#columnNow();
      this.#column(column + 8 - (column % 8));
    }
  }

  /** @returns where it ends; undefined: not yet. */
  #escape(text: string, at: number, tell: TellRow): number | undefined {
    const matched = (pattern: RegExp) => {
      pattern.lastIndex = at;
      return pattern.exec(text);
    };
    const strung = matched(stringBegins);
    if (strung !== null) {
      this.#inString = { isTitle: /\]|\u009d/.test(strung[0]), length: 0 };
      return at + strung[0].length;
    }
    const sequence = matched(csi);
    if (sequence !== null) {
      this.#sequence(sequence[3]!, { parameters: sequence[1]!, between: sequence[2]!, tell });
      return at + sequence[0].length;
    }
    const begun = matched(csiBegun) ?? matched(escapeBegun);
    if (begun !== null) {
      if (begun[0].length <= longestEscape) this.#cut = begun[0];
      return undefined;
    }
    // A control within a sequence: what has come of it is dropped.
    const broken = matched(csiBroken);
    if (broken !== null) return at + broken[0].length;
    const short = matched(shortEscape);
    if (short === null) {
      this.#short(c1[text.charCodeAt(at)] ?? "", tell);
      return at + 1;
    }
    if (short[1] === "") this.#short(short[2]!, tell);
    return at + short[0].length;
  }

  #short(final: string, tell: TellRow): void {
    if (this.#alternate && final !== "c") return;
    if (final === "D" || final === "E") this.#newline(tell);
    else if (final === "M") this.#up(1);
    else if (final === "7") this.#save();
    else if (final === "8") this.#restore();
    else if (final === "c") {
      this.#alternate = false;
      this.#style = "";
      this.#clear(tell);
    }
  }

  #sequence(
    final: string,
    { parameters, between, tell }: { parameters: string; between: string; tell: TellRow },
  ): void {
    if (between !== "") return;
    if (parameters.startsWith("?")) {
      const modes = parameters.slice(1).split(";");
      const alternate = modes.some((mode) => mode === "1049" || mode === "1047" || mode === "47");
      if (alternate && (final === "h" || final === "l")) this.#alternate = final === "h";
      return;
    }
    if (/^[<=>]/.test(parameters)) return;
    if (final === "m") {
      this.#style = parameters === "" ? "" : styleAfter(this.#style, parameters);
      return;
    }
    if (this.#alternate) return;
    const [first = 0, second = 0] = parameters.split(";").map((word) => Number(word) || 0);
    const count = Math.min(Math.max(1, first), longestRow);
    this.#move(final, { first, second, count, tell });
  }

  #move(
    final: string,
    { first, second, count, tell }: { first: number; second: number; count: number; tell: TellRow },
  ): void {
    const row = this.#rows[this.#at]!;
    switch (final) {
      case "A":
      case "F":
        this.#up(count);
        if (final === "F") this.#column(0);
        break;
      case "B":
      case "E":
      case "e":
        this.#down(count);
        if (final === "E") this.#column(0);
        break;
      case "C":
      case "a":
        this.#column(this.#columnNow() + count);
        break;
      case "D":
        this.#column(this.#columnNow() - count);
        break;
      case "G":
      case "`":
        this.#column(count - 1);
        break;
      case "d":
        this.#toRow(count - 1);
        break;
      case "H":
      case "f":
        this.#toRow(count - 1);
        this.#column(Math.max(1, second) - 1);
        break;
      case "J":
        this.#eraseScreen(first, tell);
        break;
      case "K":
        this.#eraseRow(first);
        break;
      case "P":
        row.remove(this.#cell, { count, end: this.#rowEnd() });
        break;
      case "X":
        row.blank(this.#cell, this.#cell + count);
        break;
      case "@":
        row.insert(this.#cell, { count, end: this.#rowEnd() });
        break;
      case "s":
        this.#save();
        break;
      case "u":
        this.#restore();
    }
  }

  #print(run: string): void {
    if (this.#alternate) return;
    if (ascii.test(run)) {
      for (let at = 0; at < run.length; at++) this.#put(run[at]!, 1);
      return;
    }
    for (const character of run) this.#put(character, Bun.stringWidth(character));
  }

  #put(character: string, width: number): void {
    const row = this.#rows[this.#at]!;
    this.#cell = row.put(character, { at: this.#cell, width, style: this.#style });
    if (width > 0) this.#full = this.#cell % this.#cols === 0;
  }

  // --- the cursor

  /** The first cell of the screen's row in which the cursor stands. */
  #rowStart(): number {
    const cell = this.#full ? this.#cell - 1 : this.#cell;
    return cell - (cell % this.#cols);
  }

  /** Behind the last cell of the screen's row. */
  #rowEnd(): number {
    const { length } = this.#rows[this.#at]!;
    return this.#rowStart() + Math.min(this.#cols, Math.max(length, farthest));
  }

  #columnNow(): number {
    return (this.#full ? this.#cell - 1 : this.#cell) - this.#rowStart();
  }

  #column(column: number): void {
    if (this.#alternate) return;
    const { length } = this.#rows[this.#at]!;
    const most = Math.min(this.#cols, Math.max(length + 1, farthest)) - 1;
    this.#cell = this.#rowStart() + Math.max(0, Math.min(most, column));
    this.#full = false;
  }

  /** Rows of the screen that a row takes. */
  #heightOf(row: ScreenRow): number {
    return Math.max(1, Math.ceil(row.length / this.#cols));
  }

  #up(count: number): void {
    const column = this.#columnNow();
    let start = this.#rowStart();
    for (let left = Math.min(count, this.#height - 1); left > 0; left--) {
      if (start > 0) start -= this.#cols;
      else if (this.#at > 0 || this.#recall()) {
        this.#leave();
        this.#at -= 1;
        start = (this.#heightOf(this.#rows[this.#at]!) - 1) * this.#cols;
      } else break;
    }
    this.#cell = start + column;
    this.#full = false;
  }

  #down(count: number): void {
    const column = this.#columnNow();
    let start = this.#rowStart();
    for (let left = Math.min(count, this.#height - 1); left > 0; left--) {
      const below = start + this.#cols;
      if (below < this.#rows[this.#at]!.length) {
        start = below;
        continue;
      }
      if (this.#at === this.#rows.length - 1) {
        // The last row of the screen is no further down.
        if (this.#depth >= this.#height - 1) break;
        this.#rows.push(new ScreenRow());
        this.#depth += 1;
      }
      this.#leave();
      this.#at += 1;
      start = 0;
    }
    this.#cell = start + column;
    this.#full = false;
  }

  /** Counted from the top of the screen. */
  #toRow(row: number): void {
    const wanted = Math.min(row, this.#height - 1);
    const now = this.#screenRow();
    if (wanted < now) this.#up(now - wanted);
    else this.#down(wanted - now);
  }

  #screenRow(): number {
    let below = 0;
    for (let at = this.#at; at < this.#rows.length; at++) below += this.#heightOf(this.#rows[at]!);
    below -= Math.floor(this.#rowStart() / this.#cols) + 1;
    return Math.max(0, Math.min(this.#depth, this.#height - 1) - below);
  }

  #save(): void {
    this.#saved = { row: this.#rows[this.#at]!, cell: this.#cell };
  }

  #restore(): void {
    const at = this.#saved === undefined ? -1 : this.#rows.indexOf(this.#saved.row);
    if (at === -1) return;
    if (at !== this.#at) this.#leave();
    this.#at = at;
    this.#cell = this.#saved!.cell;
    this.#full = false;
  }

  /** Brings the line above the first row back. False where there is none. */
  #recall(): boolean {
    if (this.#rows.length >= this.#height || this.#depth < this.#rows.length) return false;
    const text = this.#options.recall(this.#told + this.#recalled);
    if (text === undefined) return false;
    this.#recalled += 1;
    this.#rows.unshift(rowOf(text));
    this.#at += 1;
    return true;
  }

  #newline(tell: TellRow): void {
    if (this.#alternate) return;
    const row = this.#rows[this.#at]!;
    const restless = this.#restless && this.#options.now() - this.#clearedAt < settling;
    if (row.told === undefined && !row.isLeft && !restless) {
      this.#tell(row, { text: row.text(), tell });
    } else this.#leave({ isEnded: true });
    if (this.#at === this.#rows.length - 1) {
      this.#rows.push(new ScreenRow());
      this.#depth += 1;
      while (this.#overflows()) this.#scrollOut(tell);
    }
    this.#at += 1;
    this.#cell = 0;
    this.#full = false;
  }

  /** A row that is wrapped takes several of the screen. */
  #overflows(): boolean {
    const taken = this.#rows.reduce((sum, row) => sum + this.#heightOf(row), 0);
    return this.#rows.length > 2 && taken > this.#height;
  }

  /** The cursor cannot come back to the first row. */
  #scrollOut(tell: TellRow): void {
    const row = this.#rows.shift()!;
    this.#at -= 1;
    if (row.isOwed) this.#tellLeft(row, tell);
  }

  /** The cursor goes elsewhere; what stands in the row counts once it has stood for a while. */
  #leave({ isEnded = false } = {}): void {
    this.#rows[this.#at]!.leave({ now: this.#options.now(), isEnded });
  }

  // --- erasing

  #eraseRow(what: number): void {
    const row = this.#rows[this.#at]!;
    const start = this.#rowStart();
    const end = start + this.#cols;
    const from = what === 0 ? this.#cell : start;
    const to = what === 1 ? this.#cell + 1 : end;
    if (to >= row.length) row.cutAt(from);
    else row.blank(from, to);
  }

  #eraseScreen(what: number, tell: TellRow): void {
    const isHome = this.#screenRow() === 0 && this.#columnNow() === 0;
    if (what === 2 || (what === 0 && isHome && this.#depth > 0)) {
      this.#clear(tell);
      return;
    }
    if (what > 1) return;
    const others = what === 0 ? this.#rows.slice(this.#at + 1) : this.#rows.slice(0, this.#at);
    for (const row of others) {
      row.cutAt(0);
      if (row.told === undefined && !row.isLeft) continue;
      row.left = "";
      row.changedAt = this.#options.now();
    }
    if (what === 0) this.#rows[this.#at]!.cutAt(this.#cell);
    else this.#eraseRow(1);
  }

  /** A page of its own begins. */
  #clear(tell: TellRow): void {
    const now = this.#options.now();
    this.#restless = now - this.#clearedAt < settling;
    this.#clearedAt = now;
    if (!this.#restless) {
      for (const row of this.#rows) if (row.isOwed) this.#tellLeft(row, tell);
    }
    const style = this.#style;
    this.begin(0);
    this.#style = style;
    this.#depth = 0;
  }

  // --- telling

  #tellLeft(row: ScreenRow, tell: TellRow): void {
    const text = row.left!;
    // A row that was erased says nothing.
    if (text.trim() === "") row.told = text;
    else this.#tell(row, { text, tell });
  }

  #tell(row: ScreenRow, { text, tell }: { text: string; tell: TellRow }): void {
    row.told = text;
    this.#told += 1;
    tell(text, row.dropped);
  }
}

/** The escapes of two characters that the 8-bit controls IND (0x84), NEL (0x85) and RI (0x8d) stand for. */
const c1: Readonly<Record<number, string>> = { 132: "D", 133: "E", 141: "M" };

/** A line that the log has. */
function rowOf(text: string): ScreenRow {
  const row = new ScreenRow();
  let style: Style = "";
  let cell = 0;
  for (const piece of text.split(/(\u001b\[[\d;:]*m)/)) {
    if (piece.startsWith("\u001b[")) {
      style = piece === "\u001b[m" ? "" : styleAfter(style, piece.slice(2, -1));
      continue;
    }
    for (const character of piece) {
      cell = row.put(character, { at: cell, width: Bun.stringWidth(character), style });
    }
  }
  row.told = row.text();
  row.left = undefined;
  row.reopened = false;
  return row;
}
