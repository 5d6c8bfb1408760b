/** A connection to the IPC socket into one JSON request and its reply, for this user's processes only. */
import { lastWords } from "../../link/last-words.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { PeerCredentials } from "../../system/peer-credentials.ts";
import {
  type Backend,
  CommandError,
  Elsewhere,
  type Dialogue,
  errorOf,
  type Receiver,
  type Speaker,
  type Stream,
} from "../commands/command.ts";
import { commandNamed } from "../commands/commands.ts";
import { perform, replyOf } from "../commands/perform.ts";
import { descriptorCalls, type DescriptorCalls } from "../../system/descriptors.ts";
import { talk } from "../found/client.ts";
import type { Answering, Conversation } from "../found/handing-over.ts";
import { conversationVersion, handoverName } from "../found/handover.ts";
import { type Handshake, handshake, handshakeName, socketAuthority } from "../found/handshake.ts";
import { readJson } from "../http/json.ts";
import { mostPending } from "../http/sse.ts";

export type IpcOptions = {
  /** The path of the socket. Anything that is there is replaced. */
  path: string;
  clock: Clock;
  backend: Backend;
  peers: PeerCredentials;
  /** Whether the peer of this descriptor has closed it. */
  hasHungUp(descriptor: number): boolean;
  /** The user who is served. */
  uid: number;
  /** For clients that verify us first. Read each time, as the credential may be replaced. */
  credential(): string;
  /**
   * Begins to hand over to the daemon of the launch with this id, which has proved itself; undefined: not now. Without
   * this function a daemon that replaces us gets the shells only.
   */
  successor?(id: string, to: Answering): Conversation | undefined;
  /** We were told to stop, and nobody has taken over. */
  isEnding?(): boolean;
  /** A fault of ours, for the log. */
  fault(error: unknown): void;
};

/** Bytes of a request. */
const longestRequest = 1024 * 1024;
/** Bytes of a line that follows a request; a keyboard sends a few, and a paste is cut by the kernel. */
const longestLine = longestRequest;
/** Bytes that were read and not passed on, above which a client is not read; and milliseconds until a look at them. */
const enoughBehind = 64 * 1024;
const lookAgain = 20;
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
  /** The conversation with the daemon that replaces us. */
  handsOver = false;
  #link: Link;
  #options: IpcOptions;
  #gone: () => void;
  #state: State = "reading";
  #parts: Uint8Array[] = [];
  #length = 0;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  /** Set while both ends speak. */
  #speaker: Speaker | undefined;
  #cancelPause: Cancel | undefined;
  /** Bytes behind the request: a client may speak before it is answered. */
  #early: Uint8Array = nothing;
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

  /** Another daemon accepts in our place: what is under way is answered, and a stream ends. */
  leave(): void {
    if (this.handsOver) return;
    this.#stopping = true;
    if (this.#state === "streaming") this.#end();
  }

  finish(): void {
    // The other daemon hears from us until we are gone, and from what becomes of us.
    if (this.handsOver) return;
    this.#stopping = true;
    if (this.#state === "streaming") this.#end();
    else if (this.#state === "reading" && this.#length === 0) this.drop();
  }

  drop(): void {
    this.#link.abort();
  }

  data(bytes: Uint8Array): void {
    if (this.#speaker !== undefined) this.#listen(bytes);
    else if (this.#state === "replying") this.#keepEarly(bytes);
    if (this.#state !== "reading") return;
    const end = bytes.indexOf(newline);
    const piece = end === -1 ? bytes : bytes.subarray(0, end);
    this.#length += piece.length;
    if (this.#length > longestRequest) {
      this.#fail(new CommandError("too_long", `a request has at most ${longestRequest} bytes`));
      return;
    }
    if (piece.length > 0) this.#parts.push(piece.slice());
    if (end !== -1) {
      this.#keepEarly(bytes.subarray(end + 1));
      this.#perform();
    } else if (this.#length <= longestUnended && this.#mayBeWhole()) this.#perform();
  }

  drained(): void {}

  /** A follower that half-closes goes on reading until the link is gone. */
  ended(): void {
    this.#ended = true;
    if (this.#state === "reading") this.#perform();
    else if (this.#speaker !== undefined) this.#end();
  }

  closed(): void {
    this.#state = "over";
    this.#cancelTimer?.();
    this.#cancelPause?.();
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
    if (name === handshakeName) {
      this.#reply({ [name]: this.#shakeHands(sent) });
      return;
    }
    if (name === handoverName) {
      this.#handOver(sent, this.#shakeHands(sent));
      return;
    }
    const command = commandNamed(name);
    const { backend } = this.#options;
    // Whoever goes on to speak would have to be heard here, too.
    const mayForward = command.streams !== "both";
    if (mayForward && command.changes && (await backend.projects?.isTakenOver()))
      return await this.#forward(bytes);
    let value: unknown;
    try {
      value = await perform(command, { sent, backend });
    } catch (error) {
      if (!mayForward || !(error instanceof Elsewhere)) throw error;
      return await this.#forward(bytes);
    }
    if (this.#state !== "replying") return;
    if (command.streams === false) this.#reply(replyOf(command, value));
    else if (command.streams === "both") this.#converse(value as Dialogue);
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

  #handOver(sent: unknown, told: Handshake): void {
    const { backend, successor } = this.#options;
    const { goesOn, id } = sent as { goesOn?: unknown; id?: unknown };
    const shells = backend.projects?.handover();
    const calls = descriptorCalls(process.platform);
    if (
      successor === undefined ||
      calls === undefined ||
      goesOn !== conversationVersion ||
      typeof id !== "string"
    ) {
      this.#reply({ [handoverName]: { ...told, shells } });
      return;
    }
    if (this.#options.isEnding?.()) {
      const error = { code: "ending", message: "this daemon was told to stop" };
      this.#reply({ [handoverName]: { ...told, shells }, error });
      return;
    }
    const conversation = successor(id, {
      answer: (value, descriptors) => this.#answer(value, { descriptors, calls }),
      end: () => this.#end(),
      descriptor: this.#link.descriptor,
    });
    if (conversation === undefined) {
      // Whoever cannot wait any longer has the shells at least.
      const error = { code: "busy", message: "another daemon is replacing this one" };
      this.#reply({ [handoverName]: { ...told, shells }, error });
      return;
    }
    this.handsOver = true;
    this.#write({ [handoverName]: { ...told, shells, goesOn: conversationVersion } });
    this.#converse(() => ({
      hear: (value) => conversation.hear(value),
      behind: () => 0,
      cancel: () => conversation.ended(),
    }));
  }

  /** Descriptors go past the link, so nothing may wait in it. */
  #answer(
    value: unknown,
    { descriptors, calls }: { descriptors: readonly number[]; calls: DescriptorCalls },
  ): boolean {
    if (this.#state !== "streaming") return false;
    if (descriptors.length === 0) {
      this.#write(value);
      return true;
    }
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    return this.#link.pending === 0 && calls.send(this.#link.descriptor, bytes, descriptors);
  }

  #receiver(): Receiver {
    this.#state = "streaming";
    return {
      next: (value) => {
        if (this.#state !== "streaming") return;
        if (this.#link.pending > mostPending) this.#link.abort();
        else this.#write(value);
      },
      end: () => this.#end(),
      pending: () => this.#link.pending,
    };
  }

  #converse(dialogue: Dialogue): void {
    const speaker = dialogue(this.#receiver());
    if ((this.#state as State) !== "streaming") {
      speaker.cancel();
      return;
    }
    this.#length = 0;
    this.#speaker = speaker;
    this.#cancelStream = () => {
      this.#speaker = undefined;
      speaker.cancel();
    };
    const early = this.#early;
    this.#early = nothing;
    this.#listen(early);
    if (this.#stopping || this.#ended) this.#end();
  }

  /** A request without a dialogue has nothing behind it that anybody reads. */
  #keepEarly(bytes: Uint8Array): void {
    if (this.#early.length + bytes.length > longestRequest) this.#early = nothing;
    else if (bytes.length > 0) this.#early = Buffer.concat([this.#early, bytes]);
  }

  /** The lines of a client that goes on to speak. */
  #listen(bytes: Uint8Array): void {
    let from = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      this.#parts.push(bytes.slice(from, end));
      from = end + 1;
      const line = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#length = 0;
      this.#hear(line);
      // The line has ended it.
      if (this.#speaker === undefined) return;
    }
    const rest = bytes.slice(from);
    this.#length += rest.length;
    if (rest.length > 0) this.#parts.push(rest);
    if (this.#length > longestLine) {
      this.#fail(new CommandError("too_long", `a line has at most ${longestLine} bytes`));
    } else if (this.#speaker !== undefined && this.#speaker.behind() > enoughBehind) this.#wait();
  }

  #hear(line: Uint8Array): void {
    const read = readJson(line);
    try {
      if (read.kind === "bad") throw new CommandError("bad_json", `a line: ${read.why}`);
      this.#speaker!.hear(read.value);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Does not read the client until what it has sent is passed on. */
  #wait(): void {
    this.#link.pause();
    const look = (): void => {
      if (this.#speaker === undefined) return;
      // A link that is not read does not report that its peer is gone.
      if (this.#options.hasHungUp(this.#link.descriptor)) this.drop();
      else if (this.#speaker.behind() > enoughBehind) this.#wait();
      else this.#link.resume();
    };
    this.#cancelPause?.();
    this.#cancelPause = this.#options.clock.after(lookAgain, look);
  }

  /** The daemon that has taken over listens at the same path: its reply, as it comes. */
  async #forward(request: Uint8Array): Promise<void> {
    if (this.#state !== "replying") return;
    const send = `${Buffer.from(request).toString()}\n`;
    const pieces = talk({ unix: this.#options.path }, { send });
    this.#state = "streaming";
    this.#cancelStream = () => void pieces.return();
    for await (const piece of pieces) {
      if (this.#isDone()) return;
      const bytes = Buffer.from(piece);
      this.#link.write(bytes, 0, bytes.length);
    }
    this.#end();
  }

  #stream(stream: Stream): void {
    const cancel = stream(this.#receiver());
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
    this.#cancelPause?.();
    if (this.#link.paused) this.#link.resume();
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
