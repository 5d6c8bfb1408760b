/** A page or a problem -> an answer of our own, in the form that the client of the current request wants. */
import type { RequestFraming } from "../../wire/framing.ts";
import { RequestHead } from "../../wire/head.ts";
import { errorPage } from "../pages/error-page.ts";
import { grpcReply } from "../pages/grpc-reply.ts";
import { hearsDetails } from "../pages/hears-details.ts";
import { type Wants, wantsOf } from "../pages/negotiate.ts";
import type { Problem } from "../pages/problem.ts";
import { encodeReply, type Reply } from "../pages/reply.ts";
import type { RequestRecord } from "../request/record.ts";
import type { Exchange } from "../upstream/exchange.ts";
import type { Client, Read } from "./client.ts";
import { At, Turn } from "./states.ts";

export type OwnAnswersOptions = {
  exchange: Exchange;
  /** Undefined: nothing is recorded. */
  record: RequestRecord | undefined;
  /** The proxy is stopping: connections end with the current answer. */
  draining(): boolean;
};

export class OwnAnswers {
  #client!: Client;
  readonly #exchange: Exchange;
  readonly #record: RequestRecord | undefined;
  readonly #draining: () => boolean;
  /** The bytes that the head was read from, while it is being handled. */
  #headBytes: Uint8Array | undefined;
  /** The last request was HEAD. */
  #headRequest = false;
  #ofGrpc = false;
  /** The code of RST_STREAM by which the server refused the request; undefined: by none. */
  resetCode: number | undefined;

  constructor({ exchange, record, draining }: OwnAnswersOptions) {
    this.#exchange = exchange;
    this.#record = record;
    this.#draining = draining;
  }

  /** Answers another client from here on. */
  attach(client: Client): void {
    this.#client = client;
    this.#headBytes = undefined;
    this.#headRequest = false;
    this.#ofGrpc = false;
  }

  /** A head is being handled, read from `bytes`; undefined: it has been, or was never complete. */
  at(bytes: Uint8Array | undefined): void {
    this.#headBytes = bytes;
  }

  /** Whether the request is HEAD; a head that cannot be read is not. */
  isHead(head: boolean): void {
    this.#headRequest = head;
    this.#ofGrpc = false;
  }

  /**
   * The request comes from a client of gRPC, which reads `grpc-status`. Each says that it takes trailers; a person who
   * only sets the Content-Type gets HTTP's own status.
   */
  isGrpc({ grpc, acceptsTrailers }: RequestFraming): void {
    this.#ofGrpc = grpc && acceptsTrailers;
    this.resetCode = undefined;
  }

  /**
   * The form of answer that the client wants, and whether it may contain details. Called only for answers of our own,
   * because most requests need neither.
   */
  reader(): { wants: Wants; details: boolean } {
    const asked = this.current();
    if (asked === undefined) return { wants: "text", details: false };
    const { head, bytes } = asked;
    return { wants: wantsOf(head, bytes), details: hearsDetails(head, bytes) };
  }

  /** The current request; undefined if there is none. */
  current(): { head: RequestHead; bytes: Uint8Array } | undefined {
    if (this.#headBytes !== undefined)
      return { head: this.#exchange.requestHead, bytes: this.#headBytes };
    if (this.#client.state !== At.exchanging && this.#client.state !== At.waiting) return undefined;
    // The client's bytes are gone. The request that we sent on has the same fields, as far as they matter here.
    const bytes = this.#exchange.sent.bytes.subarray(0, this.#exchange.sent.length);
    const head = new RequestHead();
    // Our additions may have made the head too long to be read. Half a head does not tell which fields are missing.
    return head.read(bytes).kind === "done" ? { head, bytes } : undefined;
  }

  /**
   * Answers and ends the connection: after a refused request, we cannot trust that the next one begins where we think.
   * `mark`: of what the answer says, if it waits for something else to be so.
   */
  refuse(problem: Problem, { mark }: { mark: string | undefined }): Read {
    const { wants, details } = this.reader();
    return this.lastWords(errorPage(problem, wants, { details, mark }));
  }

  lastWords(reply: Reply): Read {
    const bytes = encodeReply(this.#formed(reply), { head: this.#headRequest, close: true });
    this.#client.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#client.linger();
    return "taken";
  }

  /** Answers with one of our own pages. The connection continues only after a request without a body. */
  reply(reply: Reply, end: number): Read {
    const { framing } = this.#exchange;
    const keepAlive = framing.keepAlive && framing.bodyLength === 0 && !this.#draining();
    // An HTTP/1.0 client would have to be told that the connection stays open. None needs our pages twice, so we close.
    const close = !keepAlive || this.#exchange.requestHead.minor === 0;
    const bytes = encodeReply(this.#formed(reply), { head: this.#headRequest, close });
    this.#client.link.write(bytes, 0, bytes.length);
    this.#answered(reply);
    this.#client.served++;
    this.#client.move(Turn.next);
    if (!close) return end;
    this.#client.linger();
    return "taken";
  }

  /** The reply, as the client of the current request reads it. */
  #formed(reply: Reply): Reply {
    return this.#ofGrpc && reply.status >= 400 ? grpcReply(reply, this.resetCode) : reply;
  }

  #answered({ status, body }: Reply): void {
    this.#record?.answered(status, this.#headRequest ? 0 : Buffer.byteLength(body));
  }
}
