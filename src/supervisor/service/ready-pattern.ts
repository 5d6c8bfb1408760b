/** A regular expression and a service's output -> the moment when one of its lines matches, as the log has them. */
import { OutputLines, type OutputLinesOptions, type OutputStream } from "../logs/output-lines.ts";
import type { Size } from "../logs/log-lines.ts";
import { plainText } from "../logs/plain-text.ts";

/** Characters of a line that are looked at. */
const longest = 64 * 1024;

/** Lines of each stream to which the cursor may go back: a terminal's height. */
const recalled = 40;

export type PatternOptions = Pick<OutputLinesOptions, "now" | "after"> & {
  /** Undefined: pipes. */
  size: Size | undefined;
  /** Called once. A line without an end matches too, once it stands: a prompt has none. */
  onMatch(): void;
};

export class ReadyPattern {
  readonly #pattern: RegExp;
  readonly #lines: OutputLines;
  readonly #onMatch: () => void;
  readonly #last: Record<OutputStream, string[]> = { stdout: [], stderr: [] };
  #found = false;

  constructor(pattern: string, { now, after, size, onMatch }: PatternOptions) {
    this.#pattern = new RegExp(pattern);
    this.#onMatch = onMatch;
    this.#lines = new OutputLines({
      now,
      after,
      recall: (stream, back) => this.#last[stream].at(-1 - back),
      onLine: (stream, bytes) => {
        const text = decoder.decode(bytes);
        const last = this.#last[stream];
        last.push(text);
        if (last.length > recalled * 2) last.splice(0, recalled);
        this.#look(text);
      },
      onOpen: (_, text) => this.#look(text ?? ""),
    });
    this.#lines.size = size;
  }

  push(stream: OutputStream, bytes: Uint8Array): void {
    if (!this.#found) this.#lines.push(stream, bytes);
  }

  #look(text: string): void {
    if (this.#found || !this.#pattern.test(plainText(text.slice(0, longest)))) return;
    this.#found = true;
    this.#lines.stop();
    this.#onMatch();
  }
}

const decoder = new TextDecoder();
