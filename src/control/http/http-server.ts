/** A loopback address into HTTP/1.1 requests and their answers: strict in what it reads, bounded in all that it waits for. */
import type { Link, LinkHandler } from "../../link/link.ts";
import { listenOnBoth } from "../../link/listen-on-both.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { Ends } from "../../system/peer-sockets.ts";
import { BodyReader } from "../../wire/body.ts";
import { latin1 } from "../../wire/bytes.ts";
import { RequestFraming } from "../../wire/framing.ts";
import { NAME_END, NAME_START, FIELD_STRIDE, RequestHead } from "../../wire/head.ts";
import { readTarget } from "../../wire/target.ts";

/** A request's head, as it was written. */
export type Asked = {
  method: string;
  /** Path and query; what was asked for in another form has the form it has. */
  target: string;
  /** Of the target, without the query. */
  path: string;
  /** Without its `?`; empty where there is none. */
  query: string;
  /** The Host field as it stands; undefined where there is none. */
  host: string | undefined;
  /** A field by its lower-case name; several of one name are joined by ", ", as RFC 9110 section 5.3 has it. */
  header(name: string): string | undefined;
  /** Whether the process that has the client's socket is this person's; undefined where the system does not tell. */
  readonly ownClient: boolean | undefined;
};

export type Headers = Readonly<Record<string, string>>;

/** Where a stream is written to. */
export interface Sink {
  write(text: string): void;
  /** Bytes that the reader has not taken yet. */
  readonly pending: number;
  /** No more follows. */
  end(): void;
  /** Breaks off: the reader is too slow. */
  cut(): void;
}

export type WholeAnswer = { status: number; headers: Headers; body: string | Uint8Array };

/** `stream` begins it; what it returns is called once, when nobody reads any more. */
export type StreamAnswer = { status: number; headers: Headers; stream(sink: Sink): Cancel };

export type Answer = WholeAnswer | StreamAnswer;

/** What becomes of a request whose head has been read. `known`: it has shown that it may come in. */
export type Reception = { known?: boolean } & (
  | { kind: "answer"; answer: Answer }
  /** Its body is wanted first, up to `limit` bytes. */
  | {
      kind: "body";
      limit: number;
      tooLong: WholeAnswer;
      finish(body: Uint8Array): Promise<Answer>;
    }
);

export type HttpServerOptions = {
  clock: Clock;
  /** 0 picks one. */
  port: number;
  /** Asked when it matters first, and remembered for the connection. Undefined: this system does not tell. */
  ownClient?: ((client: Ends) => boolean | undefined) | undefined;
  receive(asked: Asked): Reception;
  /** What somebody gets who does not speak HTTP, or too slowly. */
  refuse(status: number, why: string): WholeAnswer;
  /** Somebody's answer failed by a fault of ours. */
  fault(error: unknown): void;
};

export interface HttpServer {
  readonly port: number;
  readonly connections: number;
  /** Takes no new connection; resolves when answers under way have ended, or after `patience` milliseconds. */
  stop(patience: number): Promise<void>;
}

/** Milliseconds for a head, and for a body: everything comes from this machine. */
const headPatience = 10_000;
const bodyPatience = 30_000;
/** Milliseconds that a connection may say nothing between requests. */
const idlePatience = 60_000;
/** Milliseconds in which a refused sender may still send, so that it reads why. */
const lingerPatience = 2_000;
/** Milliseconds for an answer to be taken: somebody may look at it page by page. */
const flushPatience = 60_000;
/** Bytes that are kept of what follows a request. */
const heldLimit = 64 * 1024;
/**
 * So that nobody uses up the process's descriptors here: with one more, the oldest that has not shown who it is ends, another
 * person's before one of our own. Whoever fills the door, however fast, cannot keep others out.
 */
const mostConnections = 512;

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  303: "See Other",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

const nothing = new Uint8Array(0);

/** @throws the system's error, with its `code`, where the port cannot be had. */
export function startHttpServer(options: HttpServerOptions): HttpServer {
  const connections = new Set<Connection>();
  let emptied: (() => void) | undefined;
  // Both: a browser that looks for the page's host tries ::1 first, which must not be another person's.
  const { port, listening } = listenOnBoth({ port: options.port, note() {} }, (link) => {
    const connection = new Connection(link, options, () => {
      connections.delete(connection);
      if (connections.size === 0) emptied?.();
    });
    link.handler = connection;
    const oldest = connections.size < mostConnections ? undefined : leastKnown(connections);
    if (oldest !== undefined) {
      // Its end is told in a turn of its own, and others may come before that.
      connections.delete(oldest);
      oldest.drop();
    }
    connections.add(connection);
    if (connections.size > mostConnections) connection.drop();
  });
  return {
    port,
    get connections() {
      return connections.size;
    },
    async stop(patience) {
      for (const listener of listening) listener.stop();
      for (const connection of [...connections]) connection.finish();
      if (connections.size === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = options.clock.after(patience, () => {
          for (const connection of [...connections]) connection.drop();
          resolve();
        });
        emptied = () => {
          cancel();
          resolve();
        };
      });
    },
  };
}

/** The oldest of another person's that has shown nothing, else the oldest of anybody's; undefined: all have. */
function leastKnown(connections: ReadonlySet<Connection>): Connection | undefined {
  let oldest: Connection | undefined;
  for (const connection of connections) {
    if (connection.known) continue;
    if (connection.isOwn() === false) return connection;
    oldest ??= connection;
  }
  return oldest;
}

/**
 * `answering`, and `answered`, until the answer is taken and the next request has its turn: what comes is held. `flushing`,
 * the last answer is not all taken, and `lingering`: what comes is thrown away.
 */
type State =
  "head" | "body" | "answering" | "answered" | "streaming" | "flushing" | "lingering" | "over";

class Connection implements LinkHandler {
  /** A request on it has shown that it may come in. */
  known = false;
  #link: Link;
  #options: HttpServerOptions;
  #gone: () => void;
  #state: State = "head";
  #held: Uint8Array = nothing;
  #head = new RequestHead();
  #framing = new RequestFraming();
  #reader = new BodyReader();
  #body:
    | { reception: Extract<Reception, { kind: "body" }>; parts: Uint8Array[]; length: number }
    | undefined;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  /** No request follows the one under way. */
  #last = false;
  /** The client sends no more than what is held. */
  #ended = false;
  /** What was learned of who has the client's socket. */
  #owner: { own: boolean | undefined } | undefined;
  /** An answer has gone out, which the peer may not have read yet. */
  #answered = false;

  constructor(link: Link, options: HttpServerOptions, gone: () => void) {
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

  drop(): void {
    this.#link.abort();
  }

  /** Whether the process that has the client's socket is this person's; the kernel is asked once. */
  isOwn(): boolean | undefined {
    this.#owner ??= { own: this.#options.ownClient?.(this.#link) };
    return this.#owner.own;
  }

  data(bytes: Uint8Array): void {
    if (isDeaf(this.#state)) return;
    // A head's first byte ends the idle time.
    if (this.#state === "head" && this.#held.length === 0) this.#wait(headPatience);
    this.#held = this.#held.length === 0 ? bytes.slice() : joined(this.#held, bytes);
    if (isHolding(this.#state)) this.#holdUp();
    else this.#read();
  }

  drained(): void {
    if (this.#state === "flushing") this.#linger();
    else if (this.#state === "answered") this.#next();
  }

  ended(): void {
    if (isHolding(this.#state)) this.#ended = true;
    else if (this.#state === "streaming") this.#endStream();
    // It half-closed, and reads on.
    else if (this.#state !== "flushing") this.#close();
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

  /** One request at most, though several may have come at once. */
  #read(): void {
    if (this.#state === "head") this.#readHead();
    else if (this.#state === "body") this.#readBody();
    if (isHolding(this.#state)) this.#holdUp();
    else if (this.#state !== "head" && this.#state !== "body") return;
    else if (this.#ended) this.#close();
    else this.#link.resume();
  }

  #holdUp(): void {
    if (this.#held.length > heldLimit) this.#link.pause();
  }

  #readHead(): void {
    const head = this.#head;
    const outcome = head.read(this.#held);
    if (outcome.kind === "more") return;
    if (outcome.kind === "bad") {
      this.#refuse(outcome.status, outcome.why);
      return;
    }
    const bytes = this.#held;
    const framing = this.#framing;
    const wrong = framing.read(head, bytes);
    if (wrong !== undefined) {
      this.#refuse(wrong.status, wrong.why);
      return;
    }
    const target = readTarget(head, bytes, framing.connect);
    if ("kind" in target) {
      this.#refuse(target.status, target.why);
      return;
    }
    if (!framing.keepAlive) this.#last = true;
    const ownClient = (): boolean | undefined => this.isOwn();
    const reception = this.#options.receive(asked(bytes, { head, framing, ownClient }));
    this.#held = bytes.subarray(outcome.end);
    if (reception.known) this.known = true;
    if (reception.kind === "answer") {
      // A body that nobody reads could not be told from the next request.
      if (framing.bodyLength !== 0) this.#last = true;
      this.#state = "answering";
      this.#answer(reception.answer);
      return;
    }
    if (framing.bodyLength > reception.limit) {
      this.#last = true;
      this.#answer(reception.tooLong);
      return;
    }
    this.#reader.begin(framing.bodyLength);
    this.#body = { reception, parts: [], length: 0 };
    this.#state = "body";
    this.#wait(bodyPatience);
    if (framing.expectContinue && this.#held.length === 0)
      this.#write("HTTP/1.1 100 Continue\r\n\r\n");
    this.#readBody();
  }

  #readBody(): void {
    const body = this.#body!;
    const bytes = this.#held;
    const end = this.#reader.read(bytes, 0, (from, to) => {
      body.length += to - from;
      if (body.length <= body.reception.limit) body.parts.push(bytes.subarray(from, to));
    });
    if (this.#reader.bad !== undefined) {
      this.#refuse(this.#reader.bad.status, this.#reader.bad.why);
      return;
    }
    if (body.length > body.reception.limit) {
      this.#last = true;
      this.#answer(body.reception.tooLong);
      return;
    }
    this.#held = bytes.subarray(end);
    if (!this.#reader.done) return;
    this.#body = undefined;
    this.#state = "answering";
    this.#cancelTimer?.();
    body.reception.finish(Buffer.concat(body.parts)).then(
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
    if (this.#state === "over") return;
    this.#cancelTimer?.();
    this.#answered = true;
    const stream = "stream" in answer;
    const body = stream || this.#framing.head ? nothing : bytesOf(answer.body);
    if (stream) this.#last = true;
    const lines = [`HTTP/1.1 ${answer.status} ${reasons[answer.status] ?? "Unknown"}`];
    for (const [name, value] of Object.entries(answer.headers)) lines.push(`${name}: ${value}`);
    lines.push(`Date: ${new Date(this.#options.clock.now()).toUTCString()}`);
    if (!stream && answer.status !== 204) {
      lines.push(`Content-Length: ${bytesOf(answer.body).length}`);
    }
    if (this.#last) lines.push("Connection: close");
    this.#write(`${lines.join("\r\n")}\r\n\r\n`);
    if (stream && !this.#framing.head) {
      this.#begin(answer.stream);
      return;
    }
    this.#link.write(body, 0, body.length);
    if (this.#last) {
      this.#close();
      return;
    }
    this.#state = "answered";
    // Whoever does not read answers is not read either.
    if (this.#link.pending > 0) this.#wait(flushPatience);
    else this.#next();
  }

  /** In a turn of its own where it is there already, so that a thousand requests in one piece keep nobody waiting. */
  #next(): void {
    this.#head.begin(0);
    this.#framing = new RequestFraming();
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
    this.#wait(idlePatience);
    if (this.#ended) this.#close();
    else this.#link.resume();
  }

  #begin(stream: (sink: Sink) => Cancel): void {
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
    // It may have ended within the call.
    if ((this.#state as State) === "streaming") this.#cancelStream = cancel;
    else cancel();
  }

  #endStream(): void {
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    this.#close();
  }

  /** What was written is read first: closing with unread bytes in the kernel would take it from the peer. */
  #close(): void {
    if (this.#state === "flushing") return;
    if (this.#state === "over" || this.#state === "lingering") {
      this.#link.close();
      return;
    }
    this.#held = nothing;
    this.#link.resume();
    if (this.#link.pending > 0) {
      this.#state = "flushing";
      this.#wait(flushPatience);
    } else this.#linger();
  }

  #linger(): void {
    this.#state = "lingering";
    this.#link.halfClose();
    this.#wait(lingerPatience);
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
    if (["answered", "flushing", "lingering"].includes(this.#state)) this.#link.abort();
    else if (this.#state === "head" && !this.#head.begun) this.#close();
    else this.#refuse(408, "the request took too long to come");
  }
}

function isHolding(state: State): boolean {
  return state === "answering" || state === "answered";
}

function isDeaf(state: State): boolean {
  return state !== "head" && state !== "body" && !isHolding(state);
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? Buffer.from(body) : body;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

type Read = {
  head: RequestHead;
  framing: RequestFraming;
  ownClient(): boolean | undefined;
};

function asked(bytes: Uint8Array, { head, framing, ownClient }: Read): Asked {
  const fields = new Map<string, string>();
  for (let index = 0; index < head.fieldCount; index++) {
    const at = index * FIELD_STRIDE;
    const name = latin1(
      bytes,
      head.fields[at + NAME_START]!,
      head.fields[at + NAME_END]!,
    ).toLowerCase();
    const value = head.valueOf(bytes, index);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const target = head.target(bytes);
  const mark = target.indexOf("?");
  return {
    method: head.method(bytes),
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? "" : target.slice(mark + 1),
    host: framing.hostStart === -1 ? undefined : latin1(bytes, framing.hostStart, framing.hostEnd),
    header: (name) => fields.get(name),
    get ownClient() {
      return ownClient();
    },
  };
}
