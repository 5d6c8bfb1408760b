/** A service's process into whether it speaks TLS: learned from what it answers, asked only where it gave reason to. */
import { speaksTls } from "../../link/speaks-tls.ts";
import type { Service } from "../../routes/service.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Clock } from "../../system/clock.ts";
import { upstreamKey } from "./pool.ts";

/** Milliseconds for which a request waits for what a server says to the question; on the same machine it says it in two. */
const patience = 250;

/** More processes than anyone has: what is known of those that are gone is let go of from here on. */
const remembered = 256;

/** What one process speaks on its port. */
export class Dialect {
  /** Undefined: it has not shown it yet. */
  tls: boolean | undefined;
  #asking: Promise<void> | undefined;
  #doubted = false;

  constructor(
    readonly service: Service,
    readonly clock: Clock,
  ) {}

  /**
   * Says hello to it in TLS, on a connection of its own, once however many ask meanwhile. A server that has shown what it
   * speaks is not asked. `doubted`: it behaved as one of TLS may, so this is its only chance to say so. Undefined where it is
   * silent for now; what it says later is known from then on.
   */
  ask(address: string, { doubted }: { doubted: boolean }): Promise<boolean | undefined> {
    if (this.tls !== undefined) return Promise.resolve(this.tls);
    this.#doubted ||= doubted;
    this.#asking ??= speaksTls({ address, port: this.service.endpoint.port }, this.clock).then(
      (found) => {
        this.#asking = undefined;
        // A plain answer that came meanwhile stands.
        this.tls ??= found ?? (this.#doubted ? false : undefined);
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
export function isAlert(bytes: Uint8Array): boolean {
  return bytes[0] === alert && (bytes.length < 2 || bytes[1] === 3);
}

/** How servers tell that a plain request came to their TLS port: Go, nginx, Apache, Tomcat and Jetty all name one of these. */
const complaint = /^HTTP\/1\.[01] 400\b.*(?:https|\bssl\b|\btls\b)/is;

/** Whether an answer's first piece is a 400 that speaks of TLS. */
export function complainsOfPlain(bytes: Uint8Array): boolean {
  // "HTTP/1.x 400": anything else is settled by two octets.
  if (bytes[9] !== 52 || bytes[10] !== 48) return false;
  return complaint.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1"),
  );
}
