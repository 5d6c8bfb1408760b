/** A service's process -> whether it speaks TLS: learned from what it answers, asked only where it gave reason to. */
import { speaksTls } from "../../link/speaks-tls.ts";
import type { Service } from "../../routes/service.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Clock } from "../../system/clock.ts";
import { upstreamKey } from "./pool.ts";

/** Milliseconds for which a request waits for what a server says to the question; on the same machine it says it in two. */
const patience = 250;

/** More processes than anyone has: what is known of those that are gone is let go of from here on. */
const remembered = 256;

/** What shows whether a process speaks TLS. */
export const evidence = [
  /** A TLS alert to a plain request. */
  "alert",
  /** Plain bytes to a plain request. */
  "plain answer",
  /** Plain bytes to a ClientHello: a process may go over from TLS to plain HTTP, as Vite does when its settings change. */
  "plain handshake",
  /** It was asked, and said yes, or no. */
  "asked: yes",
  "asked: no",
] as const;

export type Evidence = (typeof evidence)[number];

export type Known = "unknown" | "plain" | "tls";

/** What is known next. A plain answer that came while the process was asked still holds, as does TLS. */
export const learned: Readonly<Record<Evidence, Readonly<Record<Known, Known>>>> = {
  alert: { unknown: "tls", plain: "tls", tls: "tls" },
  "plain answer": { unknown: "plain", plain: "plain", tls: "tls" },
  "plain handshake": { unknown: "plain", plain: "plain", tls: "plain" },
  "asked: yes": { unknown: "tls", plain: "plain", tls: "tls" },
  "asked: no": { unknown: "plain", plain: "plain", tls: "tls" },
};

/** What one process speaks on its port. */
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

  /** The one place where this is learned. */
  learn(shown: Evidence): void {
    this.#known = learned[shown][this.#known];
  }

  /**
   * Learns from the first bytes that the process says to plain ones on a connection of its own. `doubtful`: a server of
   * TLS may say the same, so the process has to be asked.
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
   * Says hello to the process in TLS, on a connection of its own, once however many ask meanwhile. A process that has
   * shown what it speaks is not asked. `doubted`: it behaved as one of TLS may, so this is its only chance to say so.
   * Undefined where it is silent for now; what it says later is known from then on.
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

/** The dialects of all processes that are there. */
export class Dialects {
  #known = new Map<string, Dialect>();

  constructor(
    readonly clock: Clock,
    /** The services as they are known now. */
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

/** The first octet of an alert, RFC 8446 section 5.1: no answer in HTTP begins with it. */
const alert = 0x15;

/** Whether the first bytes of an answer are a TLS alert: a server of TLS says so to a request in plain HTTP. */
function isAlert(bytes: Uint8Array): boolean {
  return bytes[0] === alert && (bytes.length < 2 || bytes[1] === 3);
}

/** How servers tell that a plain request came to their TLS port: Go, nginx, Apache, Tomcat and Jetty all name one of these. */
const complaint = /^HTTP\/1\.[01] 400\b.*(?:https|\bssl\b|\btls\b)/is;

/** Whether an answer's first piece is a 400 that speaks of TLS. */
function complainsOfPlain(bytes: Uint8Array): boolean {
  // "HTTP/1.x 400": anything else is settled by two octets.
  if (bytes[9] !== 52 || bytes[10] !== 48) return false;
  return complaint.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"),
  );
}
