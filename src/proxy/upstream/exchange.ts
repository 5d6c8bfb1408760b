/** A request that has been read and an upstream into an answered client: bodies both ways, then the next. */
import type { Link, LinkHandler } from "../../link/link.ts";
import { BodyReader } from "../../wire/body.ts";
import { CHUNKED, type RequestFraming, ResponseFraming, UNTIL_CLOSE } from "../../wire/framing.ts";
import { RequestHead, ResponseHead } from "../../wire/head.ts";
import { complainsOfPlain, type Dialect, isAlert } from "./dialect.ts";
import {
  type Hop,
  replaceOrigin,
  type ResponseTurn,
  writeResponse,
  writeTrailer,
} from "./forward.ts";
import { HeadWriter } from "./head-writer.ts";
import { Held } from "../../link/held.ts";
import { switchProblem } from "./switch-problem.ts";
import type { Upstream, UpstreamPool } from "./pool.ts";

/** A body's beginning up to this size is copied behind its head, because one write costs less than two. */
export const coalesceLimit = 16_384;

/**
 * Bytes of a request that are kept until the service has shown what it speaks: as much as a connection holds anyway.
 * What has more by then fails, once in the life of a process that speaks TLS.
 */
const keptLimit = 65_536;

/** Of an upstream that is gone. */
export const lostWhy = "it closed the connection before its answer was complete";

/** What the client's connection hears of its exchange. */
export interface ExchangeOwner {
  /** The answer is complete. `keepAlive`: the client's connection goes on. */
  finished(keepAlive: boolean): void;
  /** No answer can be had, and the client has seen none of one. `again`: the service has said nothing, and asking once more is safe. */
  unanswered(problem: { status: 400 | 502; why: string; again?: boolean }): void;
  /** The connection was idle in the pool, died before a byte of answer, and asking again is safe. */
  retry(): void;
  /** The service turned out to speak TLS, and took nothing for a request: it has to be sent again that way, by `replay`. */
  secure(): void;
  /** The answer broke off. `silent`: its end alone would look like success, so it has to be an error. */
  broken(silent: boolean): void;
  /** The upstream speaks another protocol from here on; `rest` are its first bytes. */
  switched(upstream: Upstream, rest: Uint8Array): void;
  /** The upstream takes more of the request again. */
  requestDrained(): void;
}

/** The request, as far as its answer depends on it. Copied, because its head's bytes are gone by then. */
export type ExchangeRequest = Location & {
  framing: RequestFraming;
  minor: 0 | 1;
  dialect: Dialect;
};

type Location = Pick<ResponseTurn, "location">;

/** No upstream. */
const IDLE = 0;
/** The request is on its way; its answer's head is awaited. */
const HEAD = 1;
/** The answer's body is on its way. */
const BODY = 2;
/** The connection ended or complained in a way that makes one wonder whether the service speaks TLS, which it is asked. */
const DOUBT = 3;
/** It does; the request waits to be sent again. */
const REPLAY = 4;

/** Serves one client's requests, one after another. */
export class Exchange implements LinkHandler {
  /** The request's head, while it is being read. */
  readonly requestHead = new RequestHead();
  /** Where the request's body stands; begun by the connection, which has its first bytes. */
  readonly request = new BodyReader();
  /** The request as it goes to the upstream: kept for a second try. */
  readonly sent = new HeadWriter(512);
  /** The upstream refused bytes of the request. */
  requestBlocked = false;
  /** For the record: of the final answer, 0 until it is there; octets of the bodies, as they went over the wire. */
  answerStatus = 0;
  requestOctets = 0;
  answerOctets = 0;

  #phase: number = IDLE;
  #upstream: Upstream | undefined;
  #responseHead = new ResponseHead();
  #responseFraming = new ResponseFraming();
  #response = new BodyReader();
  #held = new Held();

  #headRequest = false;
  #keepAlive = true;
  #upgrade = false;
  #minor: 0 | 1 = 1;
  #location: ResponseTurn["location"];
  #retriable = false;
  /** A byte of the answer has come from the upstream. */
  #heard = false;
  /** So has one since the request was sent last, in doubt too. */
  #said = false;
  /** The final answer's head has gone to the client. */
  #started = false;
  #dialect!: Dialect;
  /** What was sent behind `sent`, while the service has not shown what it speaks. */
  #kept = new Held();
  /** Undefined: nothing needs to be kept. False: there was too much. */
  #keeps: boolean | undefined;
  /** In doubt: the connection is gone. */
  #gone = false;
  /** Tells one doubt from the next. */
  #doubts = 0;
  #close = false;
  #dechunk = false;
  #wholeRequestSent = false;
  #client!: Link;
  #owner!: ExchangeOwner;
  readonly #shared: ExchangeShared;

  constructor(shared: ExchangeShared) {
    this.#shared = shared;
  }

  /** Serves another client from here on. Nothing of the one before is left: no upstream knows of it. */
  attach(client: Link, owner: ExchangeOwner): void {
    this.#client = client;
    this.#owner = owner;
    this.request.begin(0);
    this.requestHead.begin(0);
  }

  /** Notes what the answer will depend on. `sent` holds the request's head already. */
  begin({ framing, minor, location, dialect }: ExchangeRequest): void {
    this.#dialect = dialect;
    this.#headRequest = framing.head;
    this.#keepAlive = framing.keepAlive;
    this.#upgrade = framing.upgrade;
    this.#minor = minor;
    this.#location = location;
    this.#retriable = framing.idempotent;
    this.#wholeRequestSent = false;
  }

  /** Sends the request: its head, and bytes[from, ...) as the body's beginning, already read up to `request.forwardEnd`. */
  send(upstream: Upstream, bytes: Uint8Array, from: number): void {
    const to = this.request.forwardEnd;
    const trailer = this.request.trailer;
    if (to - from <= coalesceLimit) {
      this.sent.copy(bytes, from, to);
      if (trailer !== undefined) writeTrailer(trailer.fields, trailer.bytes, this.sent);
      this.#wholeRequestSent = this.request.done;
      this.resend(upstream);
      return;
    }
    this.resend(upstream);
    this.#sendMore(bytes, from);
  }

  /** Sends again what `send` put into one piece. */
  resend(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#phase = HEAD;
    this.#heard = false;
    this.#said = false;
    this.#started = false;
    this.#dechunk = false;
    this.requestBlocked = false;
    this.#keeps = upstream.way.secured || this.#dialect.tls === false ? undefined : true;
    this.#responseHead.begin(0);
    this.#held.clear();
    upstream.link.handler = this;
    upstream.link.resume();
    if (!upstream.link.write(this.sent.bytes, 0, this.sent.length)) this.requestBlocked = true;
  }

  /** Sends again, inside TLS, all that was kept of the request. `origin`: how Origin and Referer change with that. */
  replay(upstream: Upstream, { location, origin }: Pick<Hop, "origin"> & Location): void {
    this.#location = location;
    if (origin !== undefined) replaceOrigin(this.sent, origin);
    this.resend(upstream);
    const kept = this.#kept.take();
    if (!upstream.link.write(kept, 0, kept.length)) this.requestBlocked = true;
  }

  /** More of the request's body from the client. @returns the offset behind what belongs to it. */
  requestBytes(bytes: Uint8Array, from: number): number {
    const end = this.request.read(bytes, from);
    if (this.request.bad !== undefined) {
      this.#fail(400, this.request.bad.why);
      return bytes.length;
    }
    this.requestOctets += end - from;
    this.#sendMore(bytes, from);
    return end;
  }

  #sendMore(bytes: Uint8Array, from: number): void {
    const link = this.#upstream?.link;
    const to = this.request.forwardEnd;
    let taken = link?.write(bytes, from, to) ?? false;
    if (this.#keeps !== undefined) this.#keep(bytes, from, to);
    const trailer = this.request.trailer;
    if (trailer !== undefined) {
      const out = this.#shared.scratch;
      out.clear();
      writeTrailer(trailer.fields, trailer.bytes, out);
      taken = link?.write(out.bytes, 0, out.length) ?? false;
      if (this.#keeps !== undefined) this.#keep(out.bytes, 0, out.length);
    }
    if (!taken) this.requestBlocked = true;
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#keeps && this.#kept.length + to - from <= keptLimit) {
      this.#kept.add(bytes, from, to);
      return;
    }
    this.#keeps = false;
    this.#kept.clear();
  }

  /** The client has taken all that was written to it. */
  clientDrained(): void {
    this.#upstream?.link.resume();
  }

  /** The client is gone: the upstream's work is for nobody. */
  cancel(): void {
    this.#detach()?.link.abort();
    this.#forget();
  }

  // From here on: what the upstream does.

  data(bytes: Uint8Array): void {
    if (this.#phase === BODY) {
      this.#relay(bytes, 0);
      return;
    }
    this.#said = true;
    if (this.#phase === DOUBT) {
      this.#held.add(bytes);
      return;
    }
    if (!this.#heard) {
      this.#heard = true;
      if (this.#unlikePlain(bytes)) return;
    }
    this.#read(bytes);
  }

  /** Bytes of the answer's head. */
  #read(bytes: Uint8Array): void {
    let view = bytes;
    if (this.#held.length > 0) {
      this.#held.add(bytes);
      view = this.#held.view();
    }
    let at = 0;
    for (;;) {
      const outcome = this.#responseHead.read(view);
      if (outcome.kind === "more") {
        if (at > 0 || this.#held.length === 0) {
          this.#held.clear();
          this.#held.add(view, at);
          this.#responseHead.begin(0);
        }
        return;
      }
      if (outcome.kind === "bad") {
        this.#fail(502, outcome.why);
        return;
      }
      const wrong = this.#responseFraming.read(this.#responseHead, view, {
        head: this.#headRequest,
        connect: false,
      });
      if (wrong !== undefined) {
        this.#fail(502, wrong.why);
        return;
      }
      at = outcome.end;
      if (this.#responseHead.status >= 200) break;
      if (this.#responseHead.status === 101) {
        this.#switch(view, at);
        return;
      }
      this.#interim(view);
      this.#responseHead.begin(at);
    }
    this.#answer(view, at);
  }

  drained(): void {
    this.requestBlocked = false;
    this.#owner.requestDrained();
  }

  ended(): void {
    if (this.#phase === DOUBT) this.#gone = true;
    else if (this.#phase === BODY && this.#response.endsWithConnection) this.#finish(false);
    else this.#lost();
  }

  closed(cause: Error | undefined): void {
    if (this.#phase === DOUBT) {
      this.#gone = true;
      return;
    }
    const whole = this.#phase === BODY && this.#response.endsWithConnection;
    if (whole && cause === undefined) this.#finish(false);
    else this.#lost();
  }

  failed(fault: unknown): void {
    this.#shared.fault(fault);
    if (this.#phase !== IDLE) this.#lost();
  }

  /** The upstream is gone before its answer was complete. */
  #lost(): void {
    const upstream = this.#upstream;
    if (
      this.#phase === HEAD &&
      !this.#heard &&
      upstream !== undefined &&
      upstream.served > 0 &&
      this.#retriable &&
      this.#wholeRequestSent
    ) {
      this.#detach()?.link.abort();
      this.#owner.retry();
      return;
    }
    if (this.#phase === HEAD && !this.#heard && this.#mayBeSecure(upstream)) {
      this.#heard = true;
      this.#gone = true;
      this.#doubt();
      return;
    }
    this.#fail(502, lostWhy, {
      again: this.#phase === HEAD && !this.#said && this.#retriable && this.#wholeRequestSent,
    });
  }

  // A service that speaks TLS closes a connection that brings a plain request, or sends an alert, or a 400 that says so.

  /** Whether it is a connection that cannot be told from one to a port of TLS. */
  #mayBeSecure(upstream: Upstream | undefined): boolean {
    if (upstream === undefined || upstream.served > 0 || upstream.way.secured) return false;
    return this.#dialect.tls !== false;
  }

  /** The answer's first bytes. @returns true where they are taken for what a port of TLS says to a plain request. */
  #unlikePlain(bytes: Uint8Array): boolean {
    const dialect = this.#dialect;
    const upstream = this.#upstream;
    if (isAlert(bytes) && upstream?.served === 0 && !upstream.way.secured) {
      dialect.tls = true;
      this.#learned();
      return true;
    }
    if (this.#keeps === undefined) return false;
    if (this.#mayBeSecure(upstream) && complainsOfPlain(bytes)) {
      this.#held.add(bytes);
      this.#doubt();
      return true;
    }
    dialect.tls ??= false;
    this.#forget();
    return false;
  }

  /** Asks the service what it speaks, holding what has come of its answer. */
  #doubt(): void {
    const { link, way } = this.#upstream!;
    this.#phase = DOUBT;
    if (this.#gone) link.abort();
    else link.pause();
    // No more of the body is taken than can be sent again.
    this.requestBlocked = true;
    this.#owner.requestDrained();
    const doubt = ++this.#doubts;
    this.#dialect.ask(way.address, { doubted: true }).then(
      (secure) => {
        if (this.#phase !== DOUBT || doubt !== this.#doubts) return;
        if (secure) this.#learned();
        else this.#undoubt();
      },
      (fault) => {
        this.#shared.fault(fault);
        if (this.#phase === DOUBT && doubt === this.#doubts) this.#undoubt();
      },
    );
  }

  /** It speaks TLS, so nothing of the request was taken for one: whatever the method, it may be sent again. */
  #learned(): void {
    if (!(this.#keeps ?? this.#wholeRequestSent)) {
      this.#fail(
        502,
        "it speaks TLS, which was found out only now, when too much of the request was gone to be sent again; try again",
      );
      return;
    }
    this.#detach()?.link.abort();
    this.#phase = REPLAY;
    this.#owner.secure();
  }

  /** It speaks as we did: what it said stands. */
  #undoubt(): void {
    const gone = this.#gone;
    this.#forget();
    this.#phase = HEAD;
    const { link } = this.#upstream!;
    this.requestBlocked = link.pending > 0;
    link.resume();
    this.#owner.requestDrained();
    const said = this.#held.take();
    if (said.length > 0) this.#read(said);
    if (gone && this.#upstream !== undefined) this.#lost();
  }

  #forget(): void {
    this.#keeps = undefined;
    this.#gone = false;
    this.#kept.clear();
  }

  #fail(status: 400 | 502, why: string, { again = false }: { again?: boolean } = {}): void {
    const started = this.#started;
    // Content-Length and chunks show a client that the end is missing; nothing else does.
    const silent = started && (this.#response.endsWithConnection || this.#dechunk);
    this.#detach()?.link.abort();
    if (started) this.#owner.broken(silent);
    else this.#owner.unanswered({ status, why, again });
  }

  #detach(): Upstream | undefined {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#phase = IDLE;
    this.#held.clear();
    if (upstream !== undefined) upstream.link.handler = upstream;
    return upstream;
  }

  /** 100, 102, 103: passed on, but not to HTTP/1.0, which knows none (RFC 9110 section 15.2). */
  #interim(bytes: Uint8Array): void {
    if (this.#minor === 0) return;
    const out = this.#shared.scratch;
    out.clear();
    this.#writeHead(bytes, undefined);
    this.#write(out.bytes, 0, out.length);
  }

  #switch(bytes: Uint8Array, end: number): void {
    if (!this.#upgrade) {
      this.#fail(502, "it switched protocols without being asked");
      return;
    }
    if (!this.request.done) {
      this.#fail(502, "it switched protocols before it had the whole request");
      return;
    }
    const wrong = this.#switchProblem(bytes);
    if (wrong !== undefined) {
      this.#fail(502, wrong);
      return;
    }
    const out = this.#shared.scratch;
    out.clear();
    this.#writeHead(bytes, undefined);
    this.#client.write(out.bytes, 0, out.length);
    this.answerStatus = 101;
    const rest = bytes.slice(end);
    const upstream = this.#detach();
    if (upstream !== undefined) this.#owner.switched(upstream, rest);
  }

  /** The client's bytes are gone; the request as it was sent on asks for the same protocols. */
  #switchProblem(bytes: Uint8Array): string | undefined {
    const sent = this.sent.bytes.subarray(0, this.sent.length);
    const head = new RequestHead();
    head.read(sent);
    return switchProblem(
      { head, bytes: sent },
      { head: this.#responseHead, bytes, framing: this.#responseFraming },
    );
  }

  /** The final answer: its head and what has come of its body, in one write where that is cheap. */
  #answer(bytes: Uint8Array, end: number): void {
    const framing = this.#responseFraming;
    this.#phase = BODY;
    this.answerStatus = this.#responseHead.status;
    this.#response.begin(framing.bodyLength);
    this.#dechunk = this.#minor === 0 && framing.bodyLength === CHUNKED;
    this.#close =
      !this.#keepAlive ||
      this.#dechunk ||
      framing.bodyLength === UNTIL_CLOSE ||
      !this.request.done ||
      this.#shared.draining();
    const out = this.#shared.scratch;
    out.clear();
    this.#writeHead(bytes, this.#close ? "close" : this.#minor === 0 ? "keep-alive" : undefined);
    if (this.#dechunk) {
      this.#start(out);
      this.#relay(bytes, end);
      return;
    }
    const consumed = this.#response.read(bytes, end);
    if (this.#response.bad !== undefined) {
      this.#fail(502, this.#response.bad.why);
      return;
    }
    this.answerOctets += consumed - end;
    const bodyEnd = this.#response.forwardEnd;
    if (bodyEnd - end <= coalesceLimit) {
      out.copy(bytes, end, bodyEnd);
      this.#start(out);
    } else {
      this.#start(out);
      this.#write(bytes, end, bodyEnd);
    }
    this.#afterRead(bytes, consumed);
  }

  #start(out: HeadWriter): void {
    this.#started = true;
    this.#write(out.bytes, 0, out.length);
  }

  #writeHead(bytes: Uint8Array, connection: ResponseTurn["connection"]): void {
    writeResponse(this.#responseHead, bytes, {
      framing: this.#responseFraming,
      status: this.#responseHead.status,
      connection,
      // Where there is no body to be unpacked too: HTTP/1.0 has no such field.
      dechunk: this.#minor === 0,
      location: this.#location,
      out: this.#shared.scratch,
    });
  }

  /** More of the answer's body. */
  #relay(bytes: Uint8Array, from: number): void {
    const consumed = this.#dechunk
      ? this.#response.read(bytes, from, (start, end) => this.#write(bytes, start, end))
      : this.#response.read(bytes, from);
    this.answerOctets += consumed - from;
    if (!this.#dechunk) this.#write(bytes, from, this.#response.forwardEnd);
    if (this.#response.bad !== undefined) {
      this.#fail(502, this.#response.bad.why);
      return;
    }
    this.#afterRead(bytes, consumed);
  }

  #afterRead(bytes: Uint8Array, consumed: number): void {
    if (!this.#response.done) return;
    const trailer = this.#response.trailer;
    if (trailer !== undefined && !this.#dechunk) {
      const out = this.#shared.scratch;
      out.clear();
      writeTrailer(trailer.fields, trailer.bytes, out);
      this.#write(out.bytes, 0, out.length);
    }
    // A byte too many means that the next answer cannot be told from what is left of this one.
    this.#finish(this.#responseFraming.keepAlive && consumed === bytes.length);
  }

  #write(bytes: Uint8Array, from: number, to: number): void {
    if (from < to && !this.#client.write(bytes, from, to)) this.#upstream?.link.pause();
  }

  #finish(reusable: boolean): void {
    const upstream = this.#detach();
    const whole = this.request.done;
    if (upstream !== undefined) {
      if (reusable && whole && upstream.link.pending === 0) this.#shared.pool.release(upstream);
      else if (whole) upstream.link.close();
      else upstream.link.abort();
    }
    this.#owner.finished(!this.#close && whole);
  }
}

/** What all exchanges of one proxy share. */
export type ExchangeShared = {
  pool: UpstreamPool;
  /** Heads for clients are put together here, and written at once. */
  scratch: HeadWriter;
  /** The proxy is stopping: connections end with the answer under way. */
  draining(): boolean;
  /** One of our own faults, for the log. */
  fault(fault: unknown): void;
};
