/** A unix socket into commands and their replies: one JSON request a connection, from this person's processes only. */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Link, LinkHandler } from "../../link/link.ts";
import { type Listening, listen } from "../../link/listen.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { PeerCredentials } from "../../system/peer-credentials.ts";
import {
  type Backend,
  CommandError,
  commandNamed,
  perform,
  replyOf,
  type Stream,
} from "../commands/commands.ts";
import { handshake, handshakeName, socketAuthority } from "../found/handshake.ts";
import { errorOf } from "../http/http.ts";
import { readJson } from "../http/json.ts";
import { mostPending } from "../http/sse.ts";

export type IpcOptions = {
  /** Where the socket is to be. Whatever is there is replaced. */
  path: string;
  clock: Clock;
  backend: Backend;
  peers: PeerCredentials;
  /** Who is served. */
  uid: number;
  /** For clients that want to know us first; asked for each time, as it may be replaced. */
  credential(): string;
  /** A fault of ours, for the log. */
  fault(error: unknown): void;
};

export interface IpcDoor {
  readonly path: string;
  readonly connections: number;
  /**
   * Puts our socket in the place of whatever is at the path, unless it is there. Said again, it mends what another daemon,
   * which has ended since, or somebody's hand has taken away. @throws the system's error, with its `code`.
   */
  claim(): void;
  /** Takes the socket away, if it is still ours; resolves when replies under way have ended, bounded. Twice is harmless. */
  stop(): Promise<void>;
}

/** Bytes of a request. */
const longestRequest = 1024 * 1024;
/** Up to here a request without an end is looked at after each piece: the first locald's client sends none. */
const longestUnended = 64 * 1024;
/** Milliseconds for a request to come. */
const patience = 10_000;
/** Milliseconds that replies under way have when the daemon stops, and a refused sender to read why. */
const drain = 2_000;
/** Milliseconds for a reply to be taken: somebody may look at it page by page. */
const flushPatience = 60_000;
const mostConnections = 512;

const newline = 10;

/** Nothing listens before `claim`. */
export function ipcDoor(options: IpcOptions): IpcDoor {
  const { path, clock } = options;
  const connections = new Set<Request>();
  let bound: { listener: Listening; inode: bigint } | undefined;

  function accept(link: Link): void {
    const request = new Request(link, options, () => connections.delete(request));
    link.handler = request;
    connections.add(request);
    if (connections.size > mostConnections) link.abort();
    else request.begin();
  }

  let stopping: Promise<void> | undefined;
  return {
    path,
    get connections() {
      return connections.size;
    },
    claim() {
      if (stopping !== undefined || (bound !== undefined && inodeAt(path) === bound.inode)) return;
      const before = bound;
      bound = bindAt(path, accept);
      before?.listener.stop();
    },
    stop() {
      stopping ??= (async () => {
        if (bound !== undefined && inodeAt(path) === bound.inode) unlinkSync(path);
        bound?.listener.stop();
        for (const request of [...connections]) request.finish();
        const end = clock.now() + drain;
        while (connections.size > 0 && clock.now() < end) {
          await new Promise<void>((resolve) => clock.after(5, resolve));
        }
        for (const request of [...connections]) request.drop();
      })();
      return stopping;
    },
  };
}

/** Under its own name only when it is ours alone: between bind(2) and chmod(2) its mode is the umask's. */
function bindAt(path: string, accept: (link: Link) => void) {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  const listener = listen({ path: temporary }, accept);
  try {
    chmodSync(temporary, 0o600);
    const inode = inodeAt(temporary);
    if (inode === undefined) throw new Error(`${temporary} is gone again`);
    renameSync(temporary, path);
    return { listener, inode };
  } catch (error) {
    listener.stop();
    throw error;
  }
}

/** Undefined where there is nothing. */
function inodeAt(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/**
 * `reading`, then `replying` or `streaming`, then `flushing` where the reply is not all taken, then `lingering`: it is,
 * and the peer may still send.
 */
type State = "reading" | "replying" | "streaming" | "flushing" | "lingering" | "over";

class Request implements LinkHandler {
  #link: Link;
  #options: IpcOptions;
  #gone: () => void;
  #state: State = "reading";
  #parts: Uint8Array[] = [];
  #length = 0;
  #cancelTimer: Cancel | undefined;
  #cancelStream: Cancel | undefined;
  #stopping = false;

  constructor(link: Link, options: IpcOptions, gone: () => void) {
    this.#link = link;
    this.#options = options;
    this.#gone = gone;
  }

  begin(): void {
    const { peers, uid, clock } = this.#options;
    // Whatever the mode of the file: who cannot be told apart is not served.
    if (peers.uidOf(this.#link.descriptor) !== uid) {
      this.#fail(
        new CommandError("forbidden", "this daemon serves the person who started it only"),
      );
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

  drained(): void {
    if (this.#state === "flushing") this.#linger();
  }

  ended(): void {
    if (this.#state === "reading") this.#perform();
    // A follower that half-closes goes on reading; it is gone when the link is.
    else if (this.#state === "lingering") this.#link.close();
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

  /** One complete JSON value that nothing ends. Numbers and words are no requests. */
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
      this.#reply(this.#shakeHands(sent));
      return;
    }
    const command = commandNamed(name);
    const value = await perform(command, { sent, backend: this.#options.backend });
    if (this.#state !== "replying") return;
    if (command.streams === false) this.#reply(replyOf(command, value));
    else this.#stream(value as Stream);
  }

  /** @throws CommandError */
  #shakeHands(sent: unknown): unknown {
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
    if (told !== undefined) return { [handshakeName]: told };
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
    // It may have ended within the call.
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

  /** The peer may still be sending what nobody wants; closing on it would take the reply from it. */
  #end(): void {
    if (this.#isDone()) return;
    this.#cancelStream?.();
    this.#cancelStream = undefined;
    if (this.#link.pending > 0) {
      this.#state = "flushing";
      this.#abortAfter(flushPatience);
    } else this.#linger();
  }

  #linger(): void {
    this.#state = "lingering";
    this.#link.halfClose();
    this.#abortAfter(drain);
  }

  #isDone(): boolean {
    return this.#state === "over" || this.#state === "flushing" || this.#state === "lingering";
  }

  #abortAfter(patience: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(patience, () => this.#link.abort());
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

/** Bytes of a path that bind(2) takes, without its NUL: unix(7), and sys/un.h of macOS. */
const longestPath = { linux: 107, other: 103 };
/** What the temporary name adds to it. */
const suffixLength = 13;

export type SocketPathOptions = {
  platform: NodeJS.Platform;
  uid: number;
  /** `XDG_RUNTIME_DIR`, where it is set. */
  runtimeDirectory: string | undefined;
};

/**
 * Where the socket is: as wanted, or where that is too long for one, in a directory of this person's alone that has a
 * short path. Makes that directory. @throws Error with a sentence where it cannot be trusted.
 */
export function socketPath(wanted: string, options: SocketPathOptions): string {
  const { platform, uid, runtimeDirectory } = options;
  const longest = platform === "linux" ? longestPath.linux : longestPath.other;
  const fits = (path: string) => Buffer.byteLength(path) + suffixLength <= longest;
  if (fits(wanted)) return wanted;
  const name = `${createHash("sha256").update(wanted).digest("hex").slice(0, 16)}.sock`;
  for (const directory of [
    ...(runtimeDirectory?.startsWith("/") ? [join(runtimeDirectory, "localhostess")] : []),
    `/tmp/localhostess-${uid}`,
  ]) {
    const path = join(directory, name);
    if (!fits(path)) continue;
    ensurePrivate(directory, uid);
    return path;
  }
  throw new Error(`there is no place for a socket: ${wanted} is too long for one`);
}

/** @throws Error with a sentence where others could put a socket of theirs there. */
function ensurePrivate(directory: string, uid: number): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const its = lstatSync(directory);
  if (!its.isDirectory() || its.uid !== uid || (its.mode & 0o077) !== 0) {
    throw new Error(
      `${directory} is not a directory of yours alone, so no socket can be there; remove it, or set XDG_RUNTIME_DIR`,
    );
  }
}
