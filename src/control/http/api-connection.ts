/** One client's link into HTTP/1.1 requests and their answers. Parsing is strict, and every wait has a limit. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ends } from "../../system/peer-sockets.ts";
import { concat } from "../../wire/bytes.ts";
import { type Answer, bodyOf, headOf, type StreamAnswer, type WholeAnswer } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { RequestReader } from "./request-reader.ts";

/** How a request is received once its head has been read. `known`: the request has shown that it may come in. */
export type Reception = { known?: boolean } & (
  | { kind: "answer"; answer: Answer }
  /** The body is wanted first, up to `limit` bytes. */
  | {
      kind: "body";
      limit: number;
      tooLong: WholeAnswer;
      finish(body: Uint8Array): Promise<Answer>;
    }
);

export type ConnectionOptions = {
  clock: Clock;
  /** Called when it matters first, and remembered for the connection. Undefined: this system does not tell. */
  ownClient?: ((client: Ends) => boolean | undefined) | undefined;
  receive(asked: Asked): Reception;
  /** The answer to a client that does not speak HTTP, or too slowly. */
  refuse(status: number, why: string): WholeAnswer;
  /** An answer failed by a fault of ours. */
  fault(error: unknown): void;
};

/** Milliseconds for a head, and for a body: everything comes from this machine. */
const headPatience = 10_000;
const bodyPatience = 30_000;
/** Milliseconds that a connection may be silent between requests. */
const idlePatience = 60_000;
/** Milliseconds for one more request after another process has taken our place: it may be on its way. */
const partingPatience = 2_000;
/** Milliseconds in which a refused sender may still send, so that it reads why. */
const lingerPatience = 2_000;
/** Milliseconds for an answer to be taken: a person may read it page by page. */
const flushPatience = 60_000;
/** Bytes that are kept of what follows a request. */
const heldLimit = 64 * 1024;

const nothing = new Uint8Array(0);

/**
 * `answering`, then `answered` until the answer is taken and the next request has its turn: bytes that come are held.
 * `ending`: the last answer is on its way, and the link belongs to its last words.
 */
type State = "head" | "body" | "answering" | "answered" | "streaming" | "ending" | "over";

export class ApiConnection implements LinkHandler {
  /** A request on this connection has shown that it may come in. */
  known = false;
  #link: Link;
  #options: ConnectionOptions;
  #gone: () => void;
  #state: State = "head";
  #held: Uint8Array = nothing;
  #reader = new RequestReader();
  /** Waits for the body that is being read. */
  #reception: Extract<Reception, { kind: "body" }> | undefined;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  /** No request follows the one under way. */
  #last = false;
  /** The client sends no more than what is held. */
  #ended = false;
  /** The answer to `isOwn`, once it was asked for. */
  #owner: { own: boolean | undefined } | undefined;
  /** An answer has gone out, which the peer may not have read yet. */
  #answered = false;

  /** `gone` is called when the link is. */
  constructor(link: Link, options: ConnectionOptions, gone: () => void) {
    this.#link = link;
    this.#options = options;
    this.#gone = gone;
    this.#wait(headPatience);
  }

  /** The server stops. */
  finish(): void {
    this.#last = true;
    if (this.#state === "body" || (this.#state === "head" && !this.#answered)) this.drop();
    else if (this.#state === "head" || this.#state === "answered") this.#close();
    else if (this.#state === "streaming") this.#endStream();
  }

  /** Another process accepts in our place: one more request is answered. */
  leave(): void {
    this.#last = true;
    if (this.#state === "streaming") this.#endStream();
    else if (this.#state === "head" && !this.#reader.begun) this.#wait(partingPatience);
  }

  drop(): void {
    this.#link.abort();
  }

  /** Whether the process that has the client's socket is this person's; the kernel is asked once. */
  isOwn(): boolean | undefined {
    this.#owner ??= { own: this.#options.ownClient?.(this.#link) };
    return this.#owner.own;
  }

  data(bytes: Uint8Array): void {
    // A stream reads nothing of its client any more.
    if (this.#state === "streaming") return;
    // A head's first byte ends the idle time.
    if (this.#state === "head" && this.#held.length === 0) this.#wait(headPatience);
    this.#held = concat(this.#held, bytes);
    if (this.#isHolding()) this.#holdUp();
    else this.#read();
  }

  drained(): void {
    if (this.#state === "answered") this.#next();
  }

  ended(): void {
    this.#ended = true;
    if (this.#isHolding()) return;
    if (this.#state === "streaming") this.#endStream();
    else this.#close();
  }

  closed(): void {
    this.#state = "over";
    this.#cancelTimer?.();
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    this.#gone();
  }

  failed(fault: unknown): void {
    this.#options.fault(fault);
  }

  #isHolding(): boolean {
    return this.#state === "answering" || this.#state === "answered";
  }

  /** Reads one request at most, though several may have come at once. */
  #read(): void {
    if (this.#state === "head") this.#readHead();
    else if (this.#state === "body") this.#readBody();
    if (this.#isHolding()) this.#holdUp();
    else if (this.#state !== "head" && this.#state !== "body") return;
    else if (this.#ended) this.#close();
    else this.#link.resume();
  }

  #holdUp(): void {
    if (this.#held.length > heldLimit) this.#link.pause();
  }

  #readHead(): void {
    const read = this.#reader.readHead(this.#held, () => this.isOwn());
    if (read.kind === "more") return;
    if (read.kind === "bad") {
      this.#refuse(read.status, read.why);
      return;
    }
    const { framing } = this.#reader;
    if (!framing.keepAlive) this.#last = true;
    const reception = this.#options.receive(read.asked);
    this.#held = this.#held.subarray(read.end);
    if (reception.known) this.known = true;
    if (reception.kind === "answer") {
      // A body that nobody reads could not be told from the next request.
      if (framing.bodyLength !== 0) this.#last = true;
      this.#state = "answering";
      this.#answer(reception.answer);
      return;
    }
    if (!this.#reader.beginBody(reception.limit)) {
      this.#last = true;
      this.#answer(reception.tooLong);
      return;
    }
    this.#reception = reception;
    this.#state = "body";
    this.#wait(bodyPatience);
    if (framing.expectContinue && this.#held.length === 0)
      this.#write("HTTP/1.1 100 Continue\r\n\r\n");
    this.#readBody();
  }

  #readBody(): void {
    const { finish, tooLong } = this.#reception!;
    const read = this.#reader.readBody(this.#held);
    if (read.kind === "bad") {
      this.#refuse(read.status, read.why);
      return;
    }
    if (read.kind === "too long") {
      this.#last = true;
      this.#answer(tooLong);
      return;
    }
    this.#held = this.#held.subarray(read.end);
    if (read.kind === "more") return;
    this.#reception = undefined;
    this.#state = "answering";
    this.#cancelTimer?.();
    finish(read.body).then(
      (answer) => this.#answer(answer),
      (error: unknown) => {
        this.#options.fault(error);
        this.#last = true;
        this.#answer(this.#options.refuse(500, "this is a fault of ours"));
      },
    );
  }

  #refuse(status: number, why: string): void {
    this.#last = true;
    this.#answer(this.#options.refuse(status, why));
  }

  #answer(answer: Answer): void {
    if (this.#state === "over" || this.#state === "ending") return;
    this.#cancelTimer?.();
    this.#answered = true;
    if ("stream" in answer) this.#last = true;
    this.#write(headOf(answer, { date: this.#options.clock.wall(), last: this.#last }));
    const body = this.#reader.framing.head ? nothing : bodyOf(answer);
    if ("stream" in answer && !this.#reader.framing.head) {
      this.#begin(answer);
      return;
    }
    this.#link.write(body, 0, body.length);
    if (this.#last) {
      this.#close();
      return;
    }
    this.#state = "answered";
    // A client that does not read answers is not read either.
    if (this.#link.pending > 0) this.#wait(flushPatience);
    else this.#next();
  }

  /** In a turn of its own if the next request is there already, so that a thousand in one piece keep nobody waiting. */
  #next(): void {
    this.#reader.next();
    if (this.#held.length > 0) {
      this.#cancelTimer?.();
      setImmediate(() => {
        if (this.#state !== "answered") return;
        this.#state = "head";
        this.#wait(headPatience);
        this.#read();
      });
      return;
    }
    this.#state = "head";
    this.#wait(this.#last ? partingPatience : idlePatience);
    if (this.#ended) this.#close();
    else this.#link.resume();
  }

  #begin({ stream }: StreamAnswer): void {
    this.#state = "streaming";
    const link = this.#link;
    const cancel = stream({
      write: (text) => {
        if (this.#state === "streaming") this.#write(text);
      },
      get pending() {
        return link.pending;
      },
      end: () => this.#endStream(),
      cut: () => link.abort(),
    });
    // The stream may have ended within the call.
    if ((this.#state as State) === "streaming") this.#cancelStream = cancel;
    else cancel();
  }

  #endStream(): void {
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    this.#close();
  }

  /** Everything that is to be said has been written. */
  #close(): void {
    if (this.#state === "over" || this.#state === "ending") return;
    this.#state = "ending";
    this.#held = nothing;
    this.#cancelTimer?.();
    lastWords(this.#link, nothing, {
      timer: this.#options.clock,
      flush: flushPatience,
      linger: lingerPatience,
      ended: this.#ended,
      gone: () => this.closed(),
      failed: this.#options.fault,
    });
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    this.#link.write(bytes, 0, bytes.length);
  }

  #wait(patience: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(patience, () => this.#late());
  }

  #late(): void {
    if (this.#state === "answered") this.#link.abort();
    else if (this.#state === "head" && !this.#reader.begun) this.#close();
    else this.#refuse(408, "the request took too long to come");
  }
}
