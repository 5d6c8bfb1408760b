/** A service's process -> whether it speaks TLS: learned from its answers, and asked only after a suspicious one. */
import { speaksTls } from "../../link/speaks-tls.ts";
import type { Service } from "../../routes/service.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Clock } from "../../system/clock.ts";
import { upstreamKey } from "./pool.ts";

/** Milliseconds that a request waits for the server's reply to the question. On the same machine, two are usual. */
const patience = 250;

/** More processes than anyone runs. Beyond this number, we forget the processes that are gone. */
const remembered = 256;

/** Observations that show whether a process speaks TLS. */
export const evidence = [
  /** A TLS alert in reply to a plain request. */
  "alert",
  /** Plain bytes in reply to a plain request. */
  "plain answer",
  /**
   * Plain bytes in reply to a ClientHello: a process may change from TLS to plain HTTP, as Vite does when its settings
   * change.
   */
  "plain handshake",
  /** The process was asked, and the reply was yes, or no. */
  "asked: yes",
  "asked: no",
] as const;

export type Evidence = (typeof evidence)[number];

export type Known = "unknown" | "plain" | "tls";

/**
 * The transitions of what we know. A plain answer that arrived while the process was asked still holds, and so does
 * TLS.
 */
export const learned: Readonly<Record<Evidence, Readonly<Record<Known, Known>>>> = {
  alert: { unknown: "tls", plain: "tls", tls: "tls" },
  "plain answer": { unknown: "plain", plain: "plain", tls: "tls" },
  "plain handshake": { unknown: "plain", plain: "plain", tls: "plain" },
  "asked: yes": { unknown: "tls", plain: "plain", tls: "tls" },
  "asked: no": { unknown: "plain", plain: "plain", tls: "tls" },
};

/** The protocol that one process speaks on its port. */
export class Dialect {
  #known: Known = "unknown";
  #asking: Promise<void> | undefined;
  #doubted = false;

  constructor(
    readonly service: Service,
    readonly clock: Clock,
  ) {}

  /** Undefined: the process has not shown it yet. */
  get tls(): boolean | undefined {
    return this.#known === "unknown" ? undefined : this.#known === "tls";
  }

  /** The only place where `tls` changes. */
  learn(shown: Evidence): void {
    this.#known = learned[shown][this.#known];
  }

  /**
   * Learns from the first bytes that the process sends in reply to plain ones on a new connection. `doubtful`: a TLS
   * server may send the same, so the process has to be asked.
   */
  hear(bytes: Uint8Array): "tls" | "plain" | "doubtful" {
    if (isAlert(bytes)) {
      this.learn("alert");
      return "tls";
    }
    if (this.#known !== "plain" && complainsOfPlain(bytes)) return "doubtful";
    this.learn("plain answer");
    return "plain";
  }

  /**
   * Sends a ClientHello to the process, on a separate connection, once for all callers that ask meanwhile. A process
   * that has shown what it speaks is not asked. `doubted`: the process behaved like a TLS server, so if it stays silent
   * now, it counts as plain.
   * @returns undefined if the process is silent for now; a later reply is known from then on.
   */
  ask(address: string, { doubted }: { doubted: boolean }): Promise<boolean | undefined> {
    if (this.tls !== undefined) return Promise.resolve(this.tls);
    this.#doubted ||= doubted;
    this.#asking ??= speaksTls({ address, port: this.service.endpoint.port }, this.clock).then(
      (found) => {
        this.#asking = undefined;
        if (found === true) this.learn("asked: yes");
        else if (found === false || this.#doubted) this.learn("asked: no");
      },
    );
    const { promise, resolve, reject } = Promise.withResolvers<boolean | undefined>();
    const answer = (): void => resolve(this.tls);
    const cancel = this.clock.after(patience, answer);
    this.#asking.then(answer, reject);
    return promise.finally(cancel);
  }
}

/** The dialects of all running processes. */
export class Dialects {
  #known = new Map<string, Dialect>();

  constructor(
    readonly clock: Clock,
    /** The services as known now. */
    readonly routes: () => RouteTable,
  ) {}

  of(service: Service): Dialect {
    const key = upstreamKey(service);
    let dialect = this.#known.get(key);
    if (dialect === undefined) {
      if (this.#known.size >= remembered) this.#forget();
      dialect = new Dialect(service, this.clock);
      this.#known.set(key, dialect);
    }
    return dialect;
  }

  #forget(): void {
    const table = this.routes();
    for (const [key, { service }] of this.#known) {
      const now = table.find(service.name);
      if (now === undefined || upstreamKey(now) !== key) this.#known.delete(key);
    }
  }
}

/** The first octet of an alert, RFC 8446 section 5.1. No HTTP answer begins with this octet. */
const alert = 0x15;

/** Whether the first bytes of an answer are a TLS alert, which a TLS server sends in reply to a plain HTTP request. */
function isAlert(bytes: Uint8Array): boolean {
  return bytes[0] === alert && (bytes.length < 2 || bytes[1] === 3);
}

/**
 * How servers report that a plain request reached their TLS port: Go, nginx, Apache, Tomcat and Jetty all use one of
 * these words.
 */
const complaint = /^HTTP\/1\.[01] 400\b.*(?:https|\bssl\b|\btls\b)/is;

/** Whether an answer's first piece is a 400 that mentions TLS. */
function complainsOfPlain(bytes: Uint8Array): boolean {
  // "HTTP/1.x 400": two octets rule out everything else.
  if (bytes[9] !== 52 || bytes[10] !== 48) return false;
  return complaint.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"),
  );
}
