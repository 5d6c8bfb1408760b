/** One client's link -> its requests for files, answered one after another with the client's own speed. */
import { lastWords } from "../link/last-words.ts";
import type { Link, LinkHandler } from "../link/link.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { concat } from "../wire/bytes.ts";
import { RequestFraming } from "../wire/framing.ts";
import { RequestHead } from "../wire/head.ts";
import { reasonOf } from "../wire/reason.ts";
import { readTarget } from "../wire/target.ts";
import { lengthOf, type Segment, type Sink, type SiteAnswer } from "./answer.ts";
import { bare } from "./site-page.ts";
import { type SiteRequest, siteRequest } from "./site-request.ts";

export type SiteConnectionOptions = {
  clock: Clock;
  answer(request: SiteRequest): Promise<SiteAnswer>;
  /** A fault of ours, or of the disk. */
  fault(error: unknown): void;
  /** Milliseconds that it may be silent between requests; undefined: the other end is ours. */
  idle?: number | undefined;
};

/** Milliseconds for a request's head to come, and for a refused sender to read why. */
const headPatience = 10_000;
const lingerPatience = 2_000;
/** Bytes of a file that are read at once: with 64 KiB, a large one takes half as long again (measured). */
const pieceLength = 262_144;
/** A file up to this length goes with its head in one write. */
const smallLength = 32_768;
/** Bytes that are kept of requests that follow one another. */
const heldLimit = 65_536;

const nothing = new Uint8Array(0);

/** `ending`: the link belongs to its last words. */
type State = "reading" | "answering" | "streaming" | "ending" | "over";

export class SiteConnection implements LinkHandler {
  readonly #link: Link;
  readonly #options: SiteConnectionOptions;
  readonly #gone = Promise.withResolvers<void>();
  readonly #head = new RequestHead();
  #state: State = "reading";
  #held: Uint8Array = nothing;
  /** No request follows the one under way. */
  #last = false;
  #ended = false;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  /** Set while an answer waits for its reader. */
  #room: PromiseWithResolvers<void> | undefined;

  constructor(link: Link, options: SiteConnectionOptions) {
    this.#link = link;
    this.#options = options;
    this.#wait(headPatience);
  }

  /** Resolves when the link is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** The answer under way is the last one. */
  finish(): void {
    this.#last = true;
    if (this.#state === "reading" && this.#held.length === 0) this.#close();
    else if (this.#state === "streaming") this.#endStream();
  }

  drop(): void {
    this.#link.abort();
  }

  data(bytes: Uint8Array): void {
    if (this.#state === "streaming") return;
    this.#held = this.#held.length === 0 ? bytes.slice() : concat(this.#held, bytes);
    if (this.#state === "reading") this.#read();
    else if (this.#held.length > heldLimit) this.#link.pause();
  }

  drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  ended(): void {
    this.#ended = true;
    if (this.#state === "reading") this.#close();
    // Half-closed by a client that reads on; a page that listens has gone.
    else if (this.#state === "streaming") this.#endStream();
  }

  closed(): void {
    this.#state = "over";
    this.#cancelTimer?.();
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    this.drained();
    this.#gone.resolve();
  }

  failed(fault: unknown): void {
    this.#options.fault(fault);
  }

  #read(): void {
    const head = this.#head;
    const outcome = head.read(this.#held);
    if (outcome.kind === "more") return;
    const framing = new RequestFraming();
    const wrong = outcome.kind === "bad" ? outcome : framing.read(head, this.#held);
    const target =
      wrong ?? readTarget(head, this.#held, { connect: framing.connect, secured: false });
    this.#state = "answering";
    this.#cancelTimer?.();
    if ("kind" in target) {
      this.#last = true;
      void this.#send(bare(target.status), { isHead: false });
      return;
    }
    const pathStart = target.form === "absolute" ? target.pathStart : head.targetStart;
    const request = siteRequest(this.#held, { head, framing, pathStart });
    this.#held = outcome.kind === "done" ? this.#held.subarray(outcome.end) : nothing;
    // A body that nobody reads could not be told from the next request.
    if (!framing.keepAlive || framing.bodyLength !== 0) this.#last = true;
    void this.#answer(request, { isHead: framing.head });
  }

  async #answer(request: SiteRequest, { isHead }: { isHead: boolean }): Promise<void> {
    let answer: SiteAnswer;
    try {
      answer = await this.#options.answer(request);
    } catch (error) {
      this.#options.fault(error);
      answer = bare(500);
    }
    await this.#send(answer, { isHead });
  }

  /** Never rejects. */
  async #send(answer: SiteAnswer, { isHead }: { isHead: boolean }): Promise<void> {
    try {
      if (this.#isOver) return;
      if (answer.stream !== undefined && !isHead) {
        this.#begin(answer);
        return;
      }
      const content = isHead ? undefined : answer.content;
      await this.#write(this.#headOf(answer), content?.segments ?? []);
    } catch (error) {
      // Its length is promised already: only an end without the rest of it tells that there is no more.
      this.#options.fault(error);
      this.#link.abort();
      return;
    } finally {
      answer.close?.();
    }
    this.#next();
  }

  get #isOver(): boolean {
    return this.#state === "over" || this.#state === "ending";
  }

  #headOf({ status, fields, content, stream }: SiteAnswer): Uint8Array {
    const lines = [`HTTP/1.1 ${status} ${reasonOf(status)}`];
    for (const [name, value] of fields) lines.push(`${name}: ${value}`);
    lines.push(`Date: ${new Date(this.#options.clock.wall()).toUTCString()}`);
    if (content !== undefined) lines.push(`Content-Length: ${content.length}`);
    if (stream !== undefined) lines.push("Transfer-Encoding: chunked");
    if (this.#last) lines.push("Connection: close");
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  }

  /** @throws where a file cannot be read, or is shorter than it was. */
  async #write(head: Uint8Array, segments: readonly Segment[]): Promise<void> {
    // Small parts go with the head in one write.
    let small = head;
    for (const segment of segments) {
      const length = lengthOf(segment);
      if (small.length + length > smallLength && small.length > 0) {
        await this.#put(small);
        small = nothing;
      }
      if (segment instanceof Uint8Array) {
        if (length > smallLength) await this.#put(segment);
        else small = concat(small, segment);
        continue;
      }
      if (length <= smallLength) {
        const both = new Uint8Array(small.length + length);
        both.set(small);
        await readAll(segment, both.subarray(small.length));
        small = both;
      } else await this.#copy(segment);
    }
    if (small.length > 0) await this.#put(small);
  }

  async #copy({ file, from, to }: Exclude<Segment, Uint8Array>): Promise<void> {
    const buffer = new Uint8Array(Math.min(to - from, pieceLength));
    for (let at = from; at < to && !this.#isOver;) {
      const piece = buffer.subarray(0, Math.min(to - at, buffer.length));
      await readAll({ file, from: at, to }, piece);
      at += piece.length;
      // The link copies what it cannot send at once.
      await this.#put(piece);
    }
  }

  /** Resolves when the reader has room for more. */
  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#isOver || this.#link.write(bytes, 0, bytes.length)) return;
    this.#room ??= Promise.withResolvers();
    await this.#room.promise;
  }

  #begin(answer: SiteAnswer): void {
    this.#state = "streaming";
    this.#last = true;
    const link = this.#link;
    const put = (bytes: Uint8Array): void => void link.write(bytes, 0, bytes.length);
    put(this.#headOf(answer));
    const sink: Sink = {
      write: (text) => {
        if (this.#state !== "streaming") return;
        const bytes = Buffer.from(text);
        put(Buffer.from(`${bytes.length.toString(16)}\r\n${text}\r\n`));
      },
      get pending() {
        return link.pending;
      },
      end: () => this.#endStream(),
    };
    const cancel = answer.stream!(sink);
    // The stream may have ended within the call.
    if ((this.#state as State) === "streaming") this.#cancelStream = cancel;
    else cancel();
  }

  #endStream(): void {
    if (this.#state !== "streaming") return;
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    const end = Buffer.from("0\r\n\r\n");
    this.#link.write(end, 0, end.length);
    this.#close();
  }

  #next(): void {
    if (this.#isOver) return;
    if (this.#last || (this.#ended && this.#held.length === 0)) {
      this.#close();
      return;
    }
    this.#state = "reading";
    this.#head.begin(0);
    if (this.#link.paused) this.#link.resume();
    if (this.#held.length > 0) {
      this.#wait(headPatience);
      this.#read();
    } else if (this.#options.idle !== undefined) this.#wait(this.#options.idle);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#state = "ending";
    this.#held = nothing;
    this.#cancelTimer?.();
    lastWords(this.#link, nothing, {
      timer: this.#options.clock,
      linger: lingerPatience,
      ended: this.#ended,
      gone: () => this.closed(),
      failed: this.#options.fault,
    });
  }

  /** For a client that is not our own proxy. */
  #wait(patience: number): void {
    this.#cancelTimer?.();
    if (this.#options.idle === undefined) return;
    this.#cancelTimer = this.#options.clock.after(patience, () => this.#close());
  }
}

/** Fills the piece. @throws where the file cannot be read, or ends before. */
async function readAll(
  { file, from }: Exclude<Segment, Uint8Array>,
  piece: Uint8Array,
): Promise<void> {
  for (let filled = 0; filled < piece.length;) {
    const room = piece.subarray(filled);
    const read = await file.read(room, { at: from + filled, count: room.length });
    if (read === 0) throw new Error("a file has become shorter while it was sent");
    filled += read;
  }
}
