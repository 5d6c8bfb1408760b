/** A connection that Bun's loop does not read -> questions and their answers, a line of JSON each, with descriptors. */
import { closeSync } from "node:fs";
import type { Clock } from "../../system/clock.ts";
import { type DescriptorCalls, mostBytes } from "../../system/descriptors.ts";

export type DescriptorLinesOptions = { calls: DescriptorCalls; clock: Clock };

export type AnswerLine = { value: unknown; descriptors: number[] };

/** `early`: bytes that have come behind the last answer. */
export type Released = { descriptor: number; early: Uint8Array };

/** Milliseconds between two looks. */
const lookEvery = 1;
/** Bytes of an answer: the shells of `up` have at most 8 MiB of text, and JSON may write six bytes for a character. */
const longestAnswer = 64 * 1024 * 1024;
const newline = 10;

export class DescriptorLines {
  readonly #options: DescriptorLinesOptions;
  #socket: number | undefined;
  #parts: Uint8Array[] = [];
  #length = 0;
  #descriptors: number[] = [];
  /** Why the conversation is over, for a sentence; undefined while it is not, or if we have ended it. */
  why: string | undefined;

  /** Takes over the descriptor of a connected socket. */
  constructor(socket: number, options: DescriptorLinesOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /**
   * Says `question`, a line of at most 4,096 bytes, and waits `patience` milliseconds for its answer, whose descriptors
   * are the caller's. Undefined: the conversation is over, and closed.
   */
  async ask(question: unknown, patience: number): Promise<AnswerLine | undefined> {
    const { calls, clock } = this.#options;
    const bytes = Buffer.from(`${JSON.stringify(question)}\n`);
    const end = clock.now() + patience;
    for (let said = false; this.#socket !== undefined;) {
      if (!said && bytes.length <= mostBytes) said = calls.send(this.#socket, bytes, []);
      const line = this.#receive();
      if (line !== undefined) return this.#answerIn(line);
      if (this.#socket === undefined) break;
      if (clock.now() >= end) {
        this.#fail(`it did not answer within ${patience} ms`);
        break;
      }
      await new Promise<void>((resolve) => void clock.after(lookEvery, resolve));
    }
    return undefined;
  }

  /** Whether the other end is still there and has said nothing unasked. */
  isOpen(): boolean {
    if (this.#socket === undefined) return false;
    const got = this.#options.calls.receive(this.#socket);
    if (got.kind === "nothing") return true;
    if (got.kind === "bytes") for (const one of got.descriptors) closeSync(one);
    this.#fail("it closed the conversation");
    return false;
  }

  /** The descriptor, which is the caller's from now on. */
  release(): Released | undefined {
    const descriptor = this.#socket;
    this.#socket = undefined;
    return descriptor === undefined ? undefined : { descriptor, early: Buffer.concat(this.#parts) };
  }

  /** Twice is harmless. */
  close(): void {
    if (this.#socket !== undefined) closeSync(this.#socket);
    this.#socket = undefined;
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }

  #fail(why: string): void {
    this.why ??= why;
    this.close();
  }

  /** Reads all that is there. @returns the line, without its end, once it is whole. */
  #receive(): Uint8Array | undefined {
    while (this.#socket !== undefined) {
      const got = this.#options.calls.receive(this.#socket);
      if (got.kind === "nothing") return undefined;
      if (got.kind === "short") this.#fail("this process may not open that many files");
      else if (got.kind === "ended") this.#fail("it closed the conversation");
      else {
        this.#descriptors.push(...got.descriptors);
        this.#parts.push(got.bytes);
        this.#length += got.bytes.length;
        if (got.bytes.includes(newline)) {
          const all = Buffer.concat(this.#parts);
          const end = all.indexOf(newline);
          const rest = all.subarray(end + 1);
          this.#parts = rest.length === 0 ? [] : [rest];
          this.#length = rest.length;
          return all.subarray(0, end);
        }
        if (this.#length > longestAnswer) this.#fail("its answer is too long");
      }
    }
    return undefined;
  }

  #answerIn(line: Uint8Array): AnswerLine | undefined {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(line).toString());
    } catch {
      // Not ours: whoever answers this way has something else in mind.
      this.#fail("it answers in a way that is not understood");
      return undefined;
    }
    const { descriptors: count = 0 } = (value ?? {}) as { descriptors?: unknown };
    if (count !== this.#descriptors.length) {
      this.#fail("not all descriptors have come");
      return undefined;
    }
    return { value, descriptors: this.#descriptors.splice(0) };
  }
}
