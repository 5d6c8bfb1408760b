/** A service's process -> whether it speaks TLS, and which HTTP: learned from answers, asked after suspicious ones. */
import { speaksH2 } from "../../link/speaks-h2.ts";
import { speaksTls } from "../../link/speaks-tls.ts";
import type { Service } from "../../routes/service.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { Clock } from "../../system/clock.ts";
import { beginsWithFrame } from "../../wire/h2/begins-with-frame.ts";
import { type Evidence, type Known, learned } from "./evidence.ts";
import { upstreamKey } from "./pool.ts";

/** Milliseconds that a request waits for the server's reply to the question. On the same machine, two are usual. */
const patience = 250;

/** More processes than anyone runs. Beyond this number, we forget the processes that are gone. */
const remembered = 256;

/** The meaning of the first bytes on a new connection, which came in reply to a request of HTTP/1.1. */
export type Heard =
  /** The request was not processed, and may be sent again as the process wants it. */
  | "other"
  /** An answer. */
  | "answer"
  /** A process that wants another protocol may say the same, so it has to be asked. */
  | "doubtful";

/** The protocol that one process speaks on its port. */
export class Dialect {
  #known: Known = "unknown";
  /** Undefined: the process has not shown it yet. Fields, like the next one, because every request asks for them. */
  #tls: boolean | undefined;
  /** Requests go by HTTP/2, because the process takes nothing else. */
  #h2 = false;
  /** The process takes no HTTP/2: a request that needs it may as well go by HTTP/1.1. */
  #refusesH2 = false;
  #asking: Promise<void> | undefined;
  #doubt: Doubt | undefined;
  /** The protocol that the last complaint of the process mentioned; undefined: it only behaved oddly. */
  #complaint: "tls" | "h2" | undefined;

  constructor(
    readonly service: Service,
    readonly clock: Clock,
  ) {}

  get known(): Known {
    return this.#known;
  }

  get tls(): boolean | undefined {
    return this.#tls;
  }

  get h2(): boolean {
    return this.#h2;
  }

  /** Requests that need HTTP/2 go by it. */
  get mayTakeH2(): boolean {
    return this.h2 || !this.#refusesH2;
  }

  /**
   * Whether a connection over which we speak HTTP/1.1, in plain text or inside TLS, may be one that the process wants
   * otherwise. Others may have learned meanwhile what it speaks.
   */
  mayDiffer({ secured }: { secured: boolean }): boolean {
    return this.#known !== (secured ? "https" : "plain");
  }

  /** The only place where what we know changes. */
  learn(shown: Evidence): void {
    const known = learned[shown][this.#known];
    this.#known = known;
    const isTls = known === "tls" || known === "https" || known === "h2";
    this.#tls = known === "unknown" ? undefined : isTls;
    this.#h2 = known === "h2c" || known === "h2";
    if (shown === "no h2" || shown === "no frames") this.#refusesH2 = true;
    else if (this.h2 || shown === "alert" || shown === "plain handshake") this.#refusesH2 = false;
  }

  /**
   * Learns from the first bytes that the process sends on a new connection in reply to a request of HTTP/1.1.
   * `secured`: inside TLS.
   */
  hear(bytes: Uint8Array, { secured }: { secured: boolean } = { secured: false }): Heard {
    if (beginsWithFrame(bytes)) {
      this.learn(secured ? "no http/1.1" : "frames");
      return "other";
    }
    if (!secured && isAlert(bytes)) {
      this.learn("alert");
      return "other";
    }
    if (this.mayDiffer({ secured }) && this.#complains(bytes)) return "doubtful";
    this.learn(secured ? "secured answer" : "plain answer");
    return "answer";
  }

  /**
   * Asks the process what it speaks, on a separate connection, once for all callers that ask meanwhile: by a
   * ClientHello, and if there is a doubt by the preface of HTTP/2 as well. A process that has shown what it speaks is
   * not asked. `doubt`: the process behaved like one that wants something else than HTTP/1.1, in plain text or inside
   * TLS. If it stays silent now, it counts as one of HTTP/1.1.
   * @returns whether it speaks TLS; undefined if the process is silent for now: a later reply is known from then on.
   */
  ask(address: string, doubt?: Doubt): Promise<boolean | undefined> {
    if (!this.#isOpen(doubt)) return Promise.resolve(this.tls);
    this.#doubt ??= doubt;
    this.#asking ??= this.#question(address).finally(() => {
      this.#asking = undefined;
      this.#doubt = undefined;
    });
    const { promise, resolve, reject } = Promise.withResolvers<boolean | undefined>();
    const answer = (): void => resolve(this.tls);
    const cancel = this.clock.after(patience, answer);
    this.#asking.then(answer, reject);
    return promise.finally(cancel);
  }

  /** Whether there is something to ask. */
  #isOpen(doubt: Doubt | undefined): boolean {
    const { known } = this;
    if (known === "unknown") return true;
    if (doubt === undefined) return false;
    return doubt.secured ? known === "tls" : known === "cleartext";
  }

  async #question(address: string): Promise<void> {
    const place = { address, port: this.service.endpoint.port };
    const complaint = this.#complaint;
    this.#complaint = undefined;
    if (this.known === "unknown" && complaint !== "h2") {
      const found = await speaksTls(place, this.clock);
      if (found === true) this.learn("asked: yes");
      else if (found === false || this.#doubt !== undefined) this.learn("asked: no");
    }
    const doubt = this.#doubt;
    if (doubt === undefined || complaint === "tls") return;
    const isSame = doubt.secured
      ? this.known === "tls"
      : this.known === "cleartext" || this.known === "unknown";
    if (!isSame) return;
    const frames = await speaksH2({ ...place, secured: doubt.secured }, this.clock);
    if (doubt.secured) this.learn(frames ? "no http/1.1" : "secured answer");
    else this.learn(frames ? "asked: frames" : "asked: no frames");
  }

  /** Whether an answer's first piece is an error that mentions another protocol. */
  #complains(bytes: Uint8Array): boolean {
    // "HTTP/1.x 4" or "HTTP/1.x 5": one octet rules out nearly everything else.
    if (bytes[9] !== 52 && bytes[9] !== 53) return false;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    if (wantsH2.test(text)) this.#complaint = "h2";
    else if (wantsTls.test(text)) this.#complaint = "tls";
    else return false;
    return true;
  }
}

/** The way on which a process behaved oddly. */
export type Doubt = { secured: boolean };

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
const wantsTls = /^HTTP\/1\.[01] 400\b.*(?:https|\bssl\b|\btls\b)/is;

/** How ASP.NET, and Node inside TLS, report that a request of HTTP/1.x reached a port of HTTP/2. */
const wantsH2 = /^HTTP\/1\.[01] (?:400|403|426|505)\b.*(?:http\/2\b|`h2`|\bh2c\b)/is;
