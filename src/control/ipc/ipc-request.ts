/** A connection to the IPC socket into one JSON request and its reply, for this user's processes only. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { PeerCredentials } from "../../system/peer-credentials.ts";
import { type Backend, CommandError, errorOf, type Stream } from "../commands/command.ts";
import { commandNamed } from "../commands/commands.ts";
import { perform, replyOf } from "../commands/perform.ts";
import { handoverName } from "../found/handover.ts";
import { type Handshake, handshake, handshakeName, socketAuthority } from "../found/handshake.ts";
import { readJson } from "../http/json.ts";
import { mostPending } from "../http/sse.ts";

export type IpcOptions = {
  /** The path of the socket. Anything that is there is replaced. */
  path: string;
  clock: Clock;
  backend: Backend;
  peers: PeerCredentials;
  /** The user who is served. */
  uid: number;
  /** For clients that verify us first. Read each time, as the credential may be replaced. */
  credential(): string;
  /** A fault of ours, for the log. */
  fault(error: unknown): void;
};

/** Bytes of a request. */
const longestRequest = 1024 * 1024;
/** Up to this size, an unterminated request is parsed after each piece: the first locald's client sends no end. */
const longestUnended = 64 * 1024;
/** Milliseconds for a request to come. */
const patience = 10_000;
/** Milliseconds for a reply to be taken: a person may read it page by page. */
const flushPatience = 60_000;
/** Milliseconds in which a sender may still send what nobody wants, so that it reads the reply. */
const lingerPatience = 2_000;

const nothing = new Uint8Array(0);
const newline = 10;

/** `ending`: the reply is on its way, and the link belongs to its last words. */
type State = "reading" | "replying" | "streaming" | "ending" | "over";

export class IpcRequest implements LinkHandler {
  #link: Link;
  #options: IpcOptions;
  #gone: () => void;
  #state: State = "reading";
  #parts: Uint8Array[] = [];
  #length = 0;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  #stopping = false;
  /** The peer sends no more. */
  #ended = false;

  constructor(link: Link, options: IpcOptions, gone: () => void) {
    this.#link = link;
    this.#options = options;
    this.#gone = gone;
  }

  begin(): void {
    const { peers, uid, clock } = this.#options;
    // The mode of the file does not matter: a client whose user is unknown is not served.
    if (peers.uidOf(this.#link.descriptor) !== uid) {
      this.#fail(new CommandError("forbidden", "this daemon serves only the user who started it"));
      return;
    }
    this.#cancelTimer = clock.after(patience, () => {
      this.#fail(new CommandError("timeout", "the request took too long to come"));
    });
  }

  finish(): void {
    this.#stopping = true;
    if (this.#state === "streaming") this.#end();
    else if (this.#state === "reading" && this.#length === 0) this.drop();
  }

  drop(): void {
    this.#link.abort();
  }

  data(bytes: Uint8Array): void {
    if (this.#state !== "reading") return;
    const end = bytes.indexOf(newline);
    const piece = end === -1 ? bytes : bytes.subarray(0, end);
    this.#length += piece.length;
    if (this.#length > longestRequest) {
      this.#fail(new CommandError("too_long", `a request has at most ${longestRequest} bytes`));
      return;
    }
    if (piece.length > 0) this.#parts.push(piece.slice());
    if (end !== -1) this.#perform();
    else if (this.#length <= longestUnended && this.#mayBeWhole()) this.#perform();
  }

  drained(): void {}

  /** A follower that half-closes goes on reading until the link is gone. */
  ended(): void {
    this.#ended = true;
    if (this.#state === "reading") this.#perform();
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

  /** Whether the bytes so far are one complete JSON value. Numbers and words are no requests. */
  #mayBeWhole(): boolean {
    const last = this.#parts.at(-1)?.at(-1);
    // } ] and "
    if (last !== 125 && last !== 93 && last !== 34) return false;
    return readJson(Buffer.concat(this.#parts)).kind === "value";
  }

  #perform(): void {
    this.#cancelTimer?.();
    this.#state = "replying";
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#run(bytes).catch((error: unknown) => this.#fail(error));
  }

  async #run(bytes: Uint8Array): Promise<void> {
    const read = readJson(bytes);
    if (read.kind === "bad") throw new CommandError("bad_json", `the request: ${read.why}`);
    const { name, sent } = requestIn(read.value);
    if (name === handshakeName || name === handoverName) {
      const { projects } = this.#options.backend;
      const told = this.#shakeHands(sent);
      const shells = name === handoverName ? { shells: projects?.handover() } : {};
      this.#reply({ [name]: { ...told, ...shells } });
      return;
    }
    const command = commandNamed(name);
    const value = await perform(command, { sent, backend: this.#options.backend });
    if (this.#state !== "replying") return;
    if (command.streams === false) this.#reply(replyOf(command, value));
    else this.#stream(value as Stream);
  }

  /** @throws CommandError */
  #shakeHands(sent: unknown): Handshake {
    const { path, credential, backend } = this.#options;
    const proof = (sent as { proof?: unknown }).proof;
    const told =
      typeof proof === "string"
        ? handshake(`Proof ${proof}`, {
            credential: credential(),
            facts: backend.facts(),
            authority: socketAuthority(path),
          })
        : undefined;
    if (told !== undefined) return told;
    throw new CommandError("forbidden", "the proof is missing or wrong");
  }

  #stream(stream: Stream): void {
    this.#state = "streaming";
    const cancel = stream({
      next: (value) => {
        if (this.#state !== "streaming") return;
        if (this.#link.pending > mostPending) this.#link.abort();
        else this.#write(value);
      },
      end: () => this.#end(),
      pending: () => this.#link.pending,
    });
    // The stream may have ended within the call.
    if ((this.#state as State) === "streaming") this.#cancelStream = cancel;
    else cancel();
    if (this.#stopping) this.#end();
  }

  #fail(error: unknown): void {
    if (!(error instanceof CommandError)) this.#options.fault(error);
    this.#reply({ error: errorOf(error) });
  }

  #reply(value: unknown): void {
    if (this.#isDone()) return;
    this.#write(value);
    this.#end();
  }

  /** Everything that is to be said has been written. */
  #end(): void {
    if (this.#isDone()) return;
    this.#state = "ending";
    this.#cancelTimer?.();
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    lastWords(this.#link, nothing, {
      timer: this.#options.clock,
      flush: flushPatience,
      linger: lingerPatience,
      ended: this.#ended,
      gone: () => this.closed(),
      failed: this.#options.fault,
    });
  }

  #isDone(): boolean {
    return this.#state === "over" || this.#state === "ending";
  }

  #write(value: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    this.#link.write(bytes, 0, bytes.length);
  }
}

/** `"Ping"`, `{"Ping":null}`, `{"Ping":{}}`. @throws CommandError */
function requestIn(value: unknown): { name: string; sent: unknown } {
  if (typeof value === "string") return { name: value, sent: {} };
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const [entry, ...others] = Object.entries(value);
    if (entry !== undefined && others.length === 0) return { name: entry[0], sent: entry[1] ?? {} };
  }
  const message = 'a request is a command\'s name, "Ping", or an object with it as the only key';
  throw new CommandError("bad_request", message);
}
