/** An engine's socket and a container -> its input and output, both ways over one connection that leaves HTTP. */
import { unreachedWhy } from "./engine-calls.ts";

export type Attachment = {
  /** False: it waits until `onDrain`, and keeps the bytes meanwhile. */
  write(bytes: Uint8Array): boolean;
  /** The container reads the end of its input, if it was made with StdinOnce. Twice is harmless. */
  finish(): void;
  /** No output is given until `resume`. */
  pause(): void;
  resume(): void;
  /** Leaves the container as it is. Twice is harmless. */
  end(): void;
};

export type AttachOptions = {
  id: string;
  /** Whether we have input for it. */
  input: boolean;
  /** Whether we want its output from now on: frames, or as it is where it has a terminal. */
  output: boolean;
  /** The bytes are only lent. */
  onOutput(bytes: Uint8Array): void;
  onDrain?(): void;
  /** The container has ended, or the engine is gone. Called once, and not after `end`. */
  onEnd(): void;
  signal: AbortSignal;
};

export type Attaching =
  | { kind: "attached"; attachment: Attachment }
  | { kind: "cancelled" }
  /** `why`: the engine's own words, or a clause about it. */
  | { kind: "refused" | "failed"; why: string };

/** Bytes of the answer's head. */
const longestHead = 16 * 1024;

/** Resolves when the connection carries the container's bytes. Before it is started, nothing of its output is lost. */
export function attachTo(socket: string, options: AttachOptions): Promise<Attaching> {
  const attached = Promise.withResolvers<Attaching>();
  const connection = new Connection(options, attached.resolve);
  const { signal } = options;
  const cancel = (): void => {
    connection.end();
    attached.resolve({ kind: "cancelled" });
  };
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  void attached.promise.then(() => signal.removeEventListener("abort", cancel));
  Bun.connect({
    unix: socket,
    allowHalfOpen: true,
    socket: {
      open: (its) => connection.open(its as unknown as Bun.Socket),
      data: (_, bytes) => connection.data(bytes),
      drain: () => connection.drain(),
      end: () => connection.ended(),
      close: () => connection.ended(),
      error: () => connection.ended(),
    },
  }).catch((error: NodeJS.ErrnoException) => {
    attached.resolve({ kind: "failed", why: unreachedWhy(error) });
  });
  return attached.promise;
}

class Connection implements Attachment {
  readonly #options: AttachOptions;
  readonly #told: (its: Attaching) => void;
  #socket: Bun.Socket | undefined;
  #state: "asking" | "attached" | "over" = "asking";
  #head = Buffer.alloc(0);
  #unsent: Uint8Array[] = [];
  #isFinished = false;

  constructor(options: AttachOptions, told: (its: Attaching) => void) {
    this.#options = options;
    this.#told = told;
  }

  open(socket: Bun.Socket): void {
    this.#socket = socket;
    if (this.#state === "over") {
      socket.terminate();
      return;
    }
    const { id, input, output } = this.#options;
    const out = output ? "&stdout=1&stderr=1" : "";
    const path = `/containers/${id}/attach?stream=1${input ? "&stdin=1" : ""}${out}`;
    this.write(
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
  }

  data(bytes: Uint8Array): void {
    if (this.#state === "attached") this.#options.onOutput(bytes);
    if (this.#state !== "asking") return;
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#head.length > longestHead) this.#refuse("failed", "its answer has no end");
      return;
    }
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(this.#head.toString("latin1", 0, 16))?.[1];
    const rest = this.#head.subarray(end + 4);
    // Engines answer 101, and those before 1.20 of the API 200.
    if (status !== "101" && status !== "200") {
      const said = /"(?:message|cause)"\s*:\s*"([^"]{1,300})"/.exec(rest.toString())?.[1];
      this.#refuse("refused", said ?? `it answered with status ${status ?? "none"}`);
      return;
    }
    this.#state = "attached";
    this.#head = Buffer.alloc(0);
    this.#told({ kind: "attached", attachment: this });
    if (rest.length > 0) this.#options.onOutput(rest);
  }

  drain(): void {
    if (this.#flush()) this.#options.onDrain?.();
  }

  ended(): void {
    if (this.#state === "asking") this.#refuse("failed", "it closed the connection");
    if (this.#state !== "attached") return;
    this.end();
    this.#options.onEnd();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state === "over" || this.#isFinished) return true;
    this.#unsent.push(bytes.slice());
    return this.#unsent.length > 1 ? false : this.#flush();
  }

  finish(): void {
    this.#isFinished = true;
    this.#flush();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#state = "over";
    this.#socket?.terminate();
  }

  /** True: all of it is on its way. */
  #flush(): boolean {
    if (this.#socket === undefined || this.#state === "over") return true;
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const taken = Math.max(0, this.#socket.write(first));
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        return false;
      }
      this.#unsent.shift();
    }
    if (this.#isFinished) this.#socket.shutdown();
    return true;
  }

  #refuse(kind: "refused" | "failed", why: string): void {
    this.end();
    this.#told({ kind, why });
  }
}
