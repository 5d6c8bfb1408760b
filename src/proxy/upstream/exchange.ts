/**
 * A request that has been read, and an upstream -> an answer to the client: bodies both ways, then the next request.
 */
import { Held } from "../../link/held.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import { BodyReader } from "../../wire/body.ts";
import { CHUNKED, RequestFraming, UNTIL_CLOSE } from "../../wire/framing.ts";
import { Field } from "../../wire/field.ts";
import { RequestHead } from "../../wire/head.ts";
import { isLasting } from "../../wire/lasting.ts";
import { StreamFailure } from "../frames/stream-failure.ts";
import { AnswerHeads } from "./answer-heads.ts";
import type { Dialect } from "./dialect.ts";
import type { ExchangeOwner, ExchangeShared, ServiceFacts } from "./exchange-owner.ts";
import { type AnswerNames, keepsOrigin } from "./mapped-fields.ts";
import { type ResponseTurn, writeRequest, writeResponse, writeTrailer } from "./forward.ts";
import { HeadWriter } from "../frames/head-writer.ts";
import type { Upstream } from "./pool.ts";
import { Replay } from "./replay.ts";
import { switchProblem } from "./switch-problem.ts";

/** A body's beginning of up to this size is copied behind its head, because one write costs less than two. */
const coalesceLimit = 16_384;

/**
 * Milliseconds for which a large body stops while its service has not shown what it speaks. A service that speaks
 * otherwise refuses the head at once.
 */
const refusalMilliseconds = 50;

/** A server of HTTP/2 that gives a request back again and again does not want it. */
const returnLimit = 3;

/** The reason given when an upstream closes before its answer is complete. */
export const lostWhy = "it closed the connection before its answer was complete";

/** The reason given when that connection had the client's login. */
const loginLostWhy =
  "it closed the connection that the client's login (NTLM or Negotiate) was bound to; log in again";

/** The phases of an exchange. */
const Phase = {
  /** No upstream. */
  idle: 0,
  /** The request is being sent; the answer's head has not arrived. */
  head: 1,
  /** The answer's body is being sent. */
  body: 2,
  /** The service is being asked what it speaks; the part of its answer that has arrived is held. */
  doubt: 3,
  /** The service speaks otherwise; the request waits to be sent again. */
  replay: 4,
} as const;

/** Serves one client's requests, one after another. */
export class Exchange implements LinkHandler {
  /** The request that is being read: its head, the framing that the head describes, and the progress of the body. */
  readonly requestHead = new RequestHead();
  readonly framing = new RequestFraming();
  readonly request = new BodyReader();
  /** The request's head as sent to the upstream, and the body's beginning; kept for a second attempt. */
  readonly sent = new HeadWriter(512);
  /** The upstream did not accept all bytes of the request. */
  requestBlocked = false;
  /**
   * For the record: the final answer's status, 0 until there is one, the octets of both bodies, as on the wire, and
   * whether the answer's body has no end.
   */
  answerStatus = 0;
  requestOctets = 0;
  answerOctets = 0;
  answerLasts = false;

  #phase: number = Phase.idle;
  #upstream: Upstream | undefined;
  #heads = new AnswerHeads();
  #response = new BodyReader({ lenient: true });
  /** Bytes of the answer that came while the service was asked. */
  #held = new Held();

  /**
   * Facts about the request that the answer depends on. `start` copies them, because the next request's head may be
   * read over this one's.
   */
  #headRequest = false;
  #keepAlive = true;
  #upgrade = false;
  #minor: 0 | 1 = 1;
  #answerNames!: AnswerNames;
  #dialect!: Dialect;
  #retriable = false;
  /** If this attempt fails, the request is not sent again. */
  #last = false;
  /** How often the service has refused this request, as a port does that speaks otherwise. */
  #refusals = 0;
  /** How often a server of HTTP/2 has given this request back unprocessed. */
  #returns = 0;
  #acceptsTrailers = false;
  /** A byte of the answer has arrived from the upstream. */
  #heard = false;
  /** A byte has arrived since the request was last sent, including bytes that were held while the service was asked. */
  #said = false;
  /** The final answer's head has gone to the client. */
  #started = false;
  /** The client waits for a 100 before it sends the body. */
  #asksFirst = false;
  #replay = new Replay();
  /** A large body has stopped, or did, in this attempt; the function ends that. */
  #hasStopped = false;
  #cancelStop: (() => void) | undefined;
  /** The connection ended while the service was being asked. */
  #gone = false;
  #close = false;
  #dechunk = false;
  #wholeRequestSent = false;
  #client!: Link;
  #owner!: ExchangeOwner;
  readonly #shared: ExchangeShared;

  constructor(shared: ExchangeShared) {
    this.#shared = shared;
  }

  /** Serves another client from here on. Nothing is left of the one before; no upstream is attached. */
  attach(client: Link, owner: ExchangeOwner): void {
    this.#client = client;
    this.#owner = owner;
    this.request.begin(0);
    this.requestHead.begin(0);
  }

  /**
   * Reads the part of the current request's body that is in bytes[from, ...). `request.bad` is set if that part is
   * malformed, `request.done` if the body is complete.
   * @returns the offset behind the request.
   */
  readBody(bytes: Uint8Array, from: number): number {
    this.request.begin(this.framing.bodyLength);
    const end = this.request.read(bytes, from);
    this.requestOctets = end - from;
    return end;
  }

  /**
   * Sends the current request to `upstream`: its head, from `bytes`, and as much of the body as `readBody` has read,
   * from `bodyStart` on. `pathStart`: the offset of the target's path.
   */
  start(
    upstream: Upstream,
    { bytes, bodyStart, pathStart }: { bytes: Uint8Array; bodyStart: number; pathStart: number },
    { hop, dialect }: ServiceFacts,
  ): void {
    const { framing, sent, request } = this;
    this.#headRequest = framing.head;
    this.#keepAlive = framing.keepAlive;
    this.#upgrade = framing.upgrade;
    this.#minor = this.requestHead.minor;
    this.#retriable = framing.idempotent;
    this.#asksFirst = framing.expectContinue;
    this.#last = false;
    this.#refusals = 0;
    this.#returns = 0;
    this.#acceptsTrailers = framing.acceptsTrailers;
    const { answer } = hop!;
    this.#answerNames =
      answer.mapped && keepsOrigin(this.requestHead, bytes, answer.names)
        ? { ...answer, keepsOrigin: true }
        : answer;
    this.#dialect = dialect!;
    this.#replay.forget();
    sent.clear();
    writeRequest(this.requestHead, bytes, { framing, hop: hop!, pathStart, out: sent });
    const bodyEnd = request.forwardEnd;
    const coalesced = bodyEnd - bodyStart <= coalesceLimit;
    if (coalesced) {
      sent.copy(bytes, bodyStart, bodyEnd);
      if (request.trailer !== undefined) {
        writeTrailer(request.trailer.fields, request.trailer.bytes, { out: sent });
      }
    }
    this.#wholeRequestSent = coalesced && request.done;
    this.#send(upstream);
    if (!coalesced) this.#sendMore(bytes, bodyStart);
  }

  /**
   * Resends the part of the request that was sent. The facts are those of now. `last`: the request is not sent again
   * after this.
   */
  resend(
    upstream: Upstream,
    { hop, dialect }: ServiceFacts,
    { last = false }: { last?: boolean } = {},
  ): void {
    const { answer } = hop!;
    this.#answerNames = this.#answerNames.keepsOrigin ? { ...answer, keepsOrigin: true } : answer;
    this.#dialect = dialect!;
    this.#last ||= last;
    const kept = this.#replay.take();
    this.#send(upstream);
    this.#replay.keep(kept, 0, kept.length);
    if (!upstream.link.write(kept, 0, kept.length)) this.requestBlocked = true;
    this.#stopBody();
  }

  /** Sends the head, and the beginning of the body behind it. */
  #send(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#phase = Phase.head;
    this.#heard = false;
    this.#said = false;
    this.#started = false;
    this.#dechunk = false;
    this.#gone = false;
    this.requestBlocked = false;
    const { stream } = upstream;
    if (stream !== undefined) stream.trailers = this.#acceptsTrailers;
    const unknown = this.#mayBeOther(upstream);
    this.#replay.begin({ needed: stream !== undefined || unknown, unknown });
    this.#hasStopped = false;
    this.#heads.begin({ headRequest: this.#headRequest });
    this.#held.clear();
    upstream.link.handler = this;
    upstream.link.resume();
    if (!upstream.link.write(this.sent.bytes, 0, this.sent.length)) this.requestBlocked = true;
  }

  /** Sends more of the request's body from the client. @returns the offset behind the request. */
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
    const to = this.request.forwardEnd;
    let taken = this.#sendPart(bytes, from, to);
    const trailer = this.request.trailer;
    if (trailer !== undefined) {
      const out = this.#shared.writers.take();
      writeTrailer(trailer.fields, trailer.bytes, { out });
      taken = this.#sendPart(out.bytes, 0, out.length);
      this.#shared.writers.give(out);
    }
    if (!taken) this.requestBlocked = true;
    this.#stopBody();
  }

  /** Stops the rest of a large body until the service has shown what it speaks, but not for long. */
  #stopBody(): void {
    if (this.#hasStopped || this.request.done || !this.#replay.isFull) return;
    this.#hasStopped = true;
    this.requestBlocked = true;
    this.#cancelStop = this.#dialect.clock.after(refusalMilliseconds, () => {
      // Nobody else would catch what is thrown in a timer.
      try {
        this.#goOn();
      } catch (fault) {
        this.failed(fault);
      }
    });
  }

  #goOn(): void {
    if (this.#cancelStop === undefined) return;
    this.#endStop();
    if (this.#upstream === undefined || this.#upstream.link.pending > 0) return;
    this.requestBlocked = false;
    this.#owner.requestDrained();
  }

  #endStop(): void {
    this.#cancelStop?.();
    this.#cancelStop = undefined;
  }

  #sendPart(bytes: Uint8Array, from: number, to: number): boolean {
    this.#replay.keep(bytes, from, to);
    return this.#upstream?.link.write(bytes, from, to) ?? false;
  }

  /** The client has read everything that was written to it. */
  clientDrained(): void {
    this.#upstream?.link.resume();
  }

  /** The final answer's head has gone to the client. */
  get answering(): boolean {
    return this.#started;
  }

  /** The service has taken all that came of the request, and the next step is the client's. */
  get bodyAwaited(): boolean {
    if (this.request.done || this.requestBlocked || this.#upstream === undefined) return false;
    if (this.#asksFirst && this.requestOctets === 0) return false;
    return this.#phase === Phase.head || this.#phase === Phase.body;
  }

  /** The client is gone, so the upstream's work is cancelled. */
  cancel(): void {
    this.#detach()?.abort();
    this.#replay.forget();
    this.#gone = false;
  }

  // Events of the upstream.

  data(bytes: Uint8Array): void {
    if (this.#phase === Phase.body) {
      this.#relay(bytes, 0);
      return;
    }
    this.#said = true;
    if (this.#phase === Phase.doubt) {
      this.#held.add(bytes);
      return;
    }
    if (!this.#heard) {
      this.#heard = true;
      if (this.#unlikePlain(bytes)) return;
    }
    this.#read(bytes);
  }

  /** Reads bytes of the answer's head. */
  #read(bytes: Uint8Array): void {
    const heads = this.#heads;
    heads.add(bytes);
    for (;;) {
      const outcome = heads.next();
      if (outcome !== undefined) {
        if (outcome.kind === "bad") this.#fail(502, outcome.why);
        return;
      }
      const { status } = heads.head;
      // A connection whose answer was written anew is not used again, so no login lasts on it.
      if (heads.framing.bindsLogin && heads.framing.keepAlive && !heads.mended) {
        this.#owner.bound(this.#upstream!, status);
      }
      if (status >= 200) break;
      if (status === 101) {
        this.#switch();
        return;
      }
      this.#interim();
    }
    this.#answer();
  }

  drained(): void {
    if (this.#cancelStop !== undefined) return;
    this.requestBlocked = false;
    this.#owner.requestDrained();
  }

  ended(): void {
    if (this.#phase === Phase.doubt) this.#gone = true;
    else if (this.#phase === Phase.body && this.#response.endsWithConnection) this.#finish(false);
    else this.#lost();
  }

  closed(cause: Error | undefined): void {
    if (cause instanceof StreamFailure) {
      this.#streamFailed(cause);
      return;
    }
    if (this.#phase === Phase.doubt) {
      this.#gone = true;
      return;
    }
    const whole = this.#phase === Phase.body && this.#response.endsWithConnection;
    if (whole && cause === undefined) this.#finish(false);
    else this.#lost();
  }

  failed(fault: unknown): void {
    this.#shared.fault(fault);
    if (this.#phase !== Phase.idle) this.#lost();
  }

  /** The request's stream of HTTP/2 is gone before its answer was complete. */
  #streamFailed(cause: StreamFailure): void {
    const mayReturn =
      this.#phase === Phase.head &&
      !this.#heard &&
      cause.unprocessed &&
      (this.#replay.isComplete || this.#wholeRequestSent);
    if (mayReturn && ++this.#returns <= returnLimit) {
      this.#detach();
      this.#owner.retry();
      return;
    }
    const { message, code } = cause;
    if (this.#started && code !== undefined) this.#client.breaksWith?.(code);
    this.#fail(502, message, { code });
  }

  /** The upstream is gone before its answer was complete. */
  #lost(): void {
    const upstream = this.#upstream;
    if (
      this.#phase === Phase.head &&
      !this.#heard &&
      upstream !== undefined &&
      (upstream.served > 0 || upstream.rested) &&
      !upstream.isCountedOn &&
      this.#retriable &&
      this.#wholeRequestSent
    ) {
      this.#detach()?.abort();
      this.#owner.retry();
      return;
    }
    const isNew = upstream !== undefined && upstream.served === 0;
    if (this.#phase === Phase.head && !this.#heard && isNew && this.#mayBeOther(upstream)) {
      this.#heard = true;
      this.#gone = true;
      this.#doubt();
      return;
    }
    // Sent again, the request would be without the login, and only the client can tell whether that matters.
    const isCountedOn = upstream?.isCountedOn ?? false;
    this.#fail(502, isCountedOn ? loginLostWhy : lostWhy, {
      again:
        !isCountedOn &&
        this.#phase === Phase.head &&
        !this.#said &&
        !this.#last &&
        this.#retriable &&
        this.#wholeRequestSent,
    });
  }

  // After a plain request, a service that speaks TLS closes the connection, or sends an alert, or a 400 that mentions
  // TLS; one that speaks HTTP/2 closes it, or sends frames, or an error that mentions HTTP/2.

  /** Whether the connection may lead to a port of TLS, or of HTTP/2, by all we have seen. */
  #mayBeOther({ way }: Upstream): boolean {
    return way.protocol === undefined && this.#dialect.mayDiffer(way);
  }

  /** Checks the answer's first bytes. @returns true if they look like the reply of a port that speaks otherwise. */
  #unlikePlain(bytes: Uint8Array): boolean {
    const { served, way } = this.#upstream!;
    if (way.protocol !== undefined) {
      this.#replay.forget();
      return false;
    }
    if (served === 0) {
      const heard = this.#dialect.hear(bytes, way);
      if (heard === "other") {
        this.speaksOtherwise();
        return true;
      }
      if (heard === "doubtful") {
        this.#held.add(bytes);
        this.#doubt();
        return true;
      }
    } else if (this.#replay.isNeeded) {
      this.#dialect.learn(way.secured ? "secured answer" : "plain answer");
    }
    this.#replay.forget();
    this.#goOn();
    return false;
  }

  /** Has the service asked what it speaks, and holds the part of its answer that has arrived. */
  #doubt(): void {
    const { link, way } = this.#upstream!;
    this.#phase = Phase.doubt;
    this.#endStop();
    if (this.#gone) link.abort();
    else link.pause();
    // We accept no more of the body than can be sent again.
    this.requestBlocked = true;
    this.#owner.doubted(way);
  }

  /**
   * The service speaks otherwise, so it processed no part of the request. Whatever the method, it may be sent again.
   */
  speaksOtherwise(): void {
    // Plain text was refused, and then, where HTTP/2 is spoken, HTTP/1.1 inside TLS.
    if (++this.#refusals > (this.#dialect.h2 ? 2 : 1)) {
      this.#fail(
        502,
        "it refuses plain HTTP as a server of TLS does, and TLS as one of plain HTTP does",
      );
      return;
    }
    if (!(this.#replay.isNeeded ? this.#replay.isComplete : this.#wholeRequestSent)) {
      this.#fail(
        502,
        `it speaks ${this.#dialect.h2 ? "HTTP/2" : "TLS"}, but this became known only after too much of the request had been sent to repeat it; try again`,
      );
      return;
    }
    this.#detach()?.abort();
    this.#phase = Phase.replay;
    this.#owner.sendOtherwise();
  }

  /** The service speaks as we did: its bytes are the answer. */
  readOn(): void {
    this.#replay.forget();
    this.#phase = Phase.head;
    const { link, way } = this.#upstream!;
    this.requestBlocked = link.pending > 0;
    link.resume();
    const said = this.#held.take();
    if (said.length > 0) {
      this.#dialect.learn(way.secured ? "secured answer" : "plain answer");
      this.#read(said);
    }
    // With a complete answer, the next request may be on its way already, by another connection.
    if (this.#gone && this.#upstream !== undefined) this.#lost();
  }

  #fail(
    status: 400 | 502,
    why: string,
    { again = false, code }: { again?: boolean; code?: number | undefined } = {},
  ): void {
    const started = this.#started;
    // Content-Length and chunks show a client that the end is missing; nothing else does.
    const silent = started && (this.#response.endsWithConnection || this.#dechunk);
    this.#detach()?.abort();
    if (started) this.#owner.broken(silent);
    else this.#owner.unanswered({ status, why, again, code });
  }

  #detach(): Upstream | undefined {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#phase = Phase.idle;
    this.#endStop();
    this.#held.clear();
    this.#heads.drop();
    if (upstream !== undefined) upstream.link.handler = upstream;
    return upstream;
  }

  /** Passes on 100, 102 and 103, but not to HTTP/1.0, which has no interim responses (RFC 9110 section 15.2). */
  #interim(): void {
    this.#asksFirst = false;
    if (this.#minor === 0) return;
    const out = this.#writeHead(undefined);
    this.#write(out.bytes, 0, out.length);
    this.#shared.writers.give(out);
  }

  #switch(): void {
    if (!this.#upgrade) {
      this.#fail(502, "it switched protocols without being asked");
      return;
    }
    if (!this.request.done) {
      this.#fail(502, "it switched protocols before it had received the whole request");
      return;
    }
    const wrong = this.#switchProblem();
    if (wrong !== undefined) {
      this.#fail(502, wrong);
      return;
    }
    const out = this.#writeHead(undefined);
    this.#client.write(out.bytes, 0, out.length);
    this.#shared.writers.give(out);
    this.answerStatus = 101;
    const rest = this.#heads.bytes.slice(this.#heads.end);
    const upstream = this.#detach();
    if (upstream !== undefined) this.#owner.switched(upstream, rest);
  }

  /** The client's bytes are gone, but the request that we sent on asks for the same protocols. */
  #switchProblem(): string | undefined {
    const sent = this.sent.bytes.subarray(0, this.sent.length);
    const head = new RequestHead();
    head.read(sent);
    return switchProblem({ head, bytes: sent }, this.#heads);
  }

  /** Sends the final answer: its head and the part of its body that has arrived, in one write if that is cheap. */
  #answer(): void {
    const { head, framing, bytes, end, mended } = this.#heads;
    this.#phase = Phase.body;
    this.answerStatus = head.status;
    this.answerLasts = isLasting(head, bytes, Field.contentType);
    this.#response.begin(framing.bodyLength);
    this.#dechunk = this.#minor === 0 && framing.bodyLength === CHUNKED;
    this.#close =
      !this.#keepAlive ||
      this.#dechunk ||
      framing.bodyLength === UNTIL_CLOSE ||
      !this.request.done ||
      // The client's login ends with the server's connection, so the client's connection does as well.
      (this.#upstream!.isCountedOn && (mended || !framing.keepAlive)) ||
      this.#shared.draining();
    const consumed = this.#dechunk ? end : this.#response.read(bytes, end);
    if (this.#response.bad !== undefined) {
      this.#fail(502, this.#response.bad.why);
      return;
    }
    const out = this.#writeHead(
      this.#close ? "close" : this.#minor === 0 ? "keep-alive" : undefined,
    );
    // An answer may last for hours, and nothing reads its head again.
    this.#heads.drop();
    const bodyEnd = this.#dechunk ? end : this.#response.forwardEnd;
    const coalesced = bodyEnd - end <= coalesceLimit;
    if (coalesced) out.copy(bytes, end, bodyEnd);
    this.#started = true;
    this.#write(out.bytes, 0, out.length);
    this.#shared.writers.give(out);
    if (this.#dechunk) {
      this.#relay(bytes, end);
      return;
    }
    this.answerOctets += consumed - end;
    if (!coalesced) this.#write(bytes, end, bodyEnd);
    this.#afterRead(bytes, consumed);
  }

  /** Writes the answer's head. @returns the writer, to be given back. */
  #writeHead(connection: ResponseTurn["connection"]): HeadWriter {
    const out = this.#shared.writers.take();
    const { head, framing, bytes } = this.#heads;
    writeResponse(head, bytes, {
      framing,
      status: head.status,
      connection,
      // Also if there is no body to dechunk: HTTP/1.0 has no such field.
      dechunk: this.#minor === 0,
      answer: this.#answerNames,
      out,
    });
    return out;
  }

  /** Sends more of the answer's body. */
  #relay(bytes: Uint8Array, from: number): void {
    const response = this.#response;
    const consumed = this.#dechunk ? this.#relayContent(bytes, from) : response.read(bytes, from);
    this.answerOctets += consumed - from;
    if (!this.#dechunk) this.#write(bytes, from, response.forwardEnd);
    if (response.bad !== undefined) {
      this.#fail(502, response.bad.why);
      return;
    }
    this.#afterRead(bytes, consumed);
  }

  /** Sends the content of a piece without its chunk framing. @returns the offset behind the piece. */
  #relayContent(bytes: Uint8Array, from: number): number {
    const write = (start: number, end: number): void => this.#write(bytes, start, end);
    let at = from;
    do at = this.#response.read(bytes, at, write);
    while (this.#response.patch !== undefined);
    return at;
  }

  /**
   * Sends the rest of a piece whose framing is written anew, in one write. @returns the offset behind it; undefined: it
   * was malformed.
   */
  #relayPatched(bytes: Uint8Array, from: number): number | undefined {
    const response = this.#response;
    const out = this.#shared.writers.take();
    let at = from;
    for (let patch = response.patch; patch !== undefined; patch = response.patch) {
      out.append(patch);
      const start = at;
      at = response.read(bytes, start);
      out.copy(bytes, start, response.forwardEnd);
    }
    this.answerOctets += at - from;
    this.#write(out.bytes, 0, out.length);
    this.#shared.writers.give(out);
    if (response.bad === undefined) return at;
    this.#fail(502, response.bad.why);
    return undefined;
  }

  #afterRead(bytes: Uint8Array, read: number): void {
    const response = this.#response;
    const consumed = response.patch === undefined ? read : this.#relayPatched(bytes, read);
    if (consumed === undefined || !response.done) return;
    const trailer = response.trailer;
    if (trailer !== undefined && !this.#dechunk) {
      const out = this.#shared.writers.take();
      writeTrailer(trailer.fields, trailer.bytes, { answer: this.#answerNames, out });
      this.#write(out.bytes, 0, out.length);
      this.#shared.writers.give(out);
    }
    // After a surplus byte, the next answer could not be told from the rest of this one. A server that frames its
    // answers in a way of its own may count their bytes in one as well.
    const { framing, mended } = this.#heads;
    const clean = !mended && !response.mended && consumed === bytes.length;
    this.#finish(framing.keepAlive && clean);
  }

  #write(bytes: Uint8Array, from: number, to: number): void {
    if (from < to && !this.#client.write(bytes, from, to)) this.#upstream?.link.pause();
  }

  #finish(reusable: boolean): void {
    const upstream = this.#detach();
    const whole = this.request.done;
    if (upstream !== undefined) {
      const idle = reusable && whole && !this.#gone && upstream.link.pending === 0;
      if (idle) this.#shared.pool.release(upstream);
      else if (whole) upstream.close();
      else upstream.abort();
    }
    this.#owner.finished(!this.#close && whole);
  }
}
