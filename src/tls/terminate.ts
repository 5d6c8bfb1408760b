/** An encrypted link and the certificates for its names into the plain link inside. */
import { cipherSuites } from "../link/cipher-suites.ts";
import { Held } from "../link/held.ts";
import type { TLSSocket } from "node:tls";
import { lastWords } from "../link/last-words.ts";
import type { Link, LinkHandler } from "../link/link.ts";
import { linkStream } from "../link/link-stream.ts";
import { secure } from "../link/secure.ts";
import type { SocketLink } from "../link/socket-link.ts";
import { StreamLink } from "../link/stream-link.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { Alert, fatalAlert } from "../wire/alert.ts";
import { type ClientHello, parseClientHello } from "../wire/client-hello.ts";
import type { Certificates } from "./certificates.ts";
import type { Leaf } from "./leaf.ts";

/** Milliseconds for a whole handshake. nginx has 60 s, which a stalled client does not need. */
const handshakeMilliseconds = 10_000;

/**
 * Octets of a ClientHello, with its records, that BoringSSL takes from a client without a certificate, or fewer
 * (`ssl_max_handshake_message_len`).
 */
const usualFlight = 16_384;

/** Milliseconds in which a client may read the alert that ended its handshake. */
const lingerMilliseconds = 2_000;

/** The application protocols that we speak inside TLS, by preference. RFC 7301. */
const protocols = ["h2", "http/1.1"];

export type Terminated = {
  link: Link;
  /** The name in the client's SNI; undefined where it dialled an address. */
  serverName: string | undefined;
  /** The application protocol that was negotiated; undefined if the client offered none. RFC 7301. */
  protocol: string | undefined;
};

export type TerminatorOptions = {
  clock: Clock;
  /** Undefined, now or later: the name is not ours. */
  certificateFor: Certificates["certificateFor"];
  /** One of our own faults, for the log. */
  fault(fault: unknown): void;
};

export type TerminateOutcome = {
  /** Set the link's handler before returning. */
  terminated(result: Terminated): void;
  /** The handshake failed, or the name is not ours. The link is closed. */
  failed(): void;
};

export interface Terminator {
  /** The whole ClientHello has been peeked at, but not read: Bun's own TLS takes the socket. */
  unread(link: SocketLink, hello: ClientHello, outcome: TerminateOutcome): Cancel;
  /** `first` has been read from the link; it may be only a part of the ClientHello. */
  read(link: Link, first: Uint8Array, outcome: TerminateOutcome): Cancel;
}

export function terminator(options: TerminatorOptions): Terminator {
  return {
    unread(link, hello, outcome) {
      const attempt = new Attempt(link, options, outcome);
      link.pause();
      attempt.choose(hello, (leaf) => {
        attempt.cancelBelow = secure(
          link,
          { ...leaf, cert: leaf.certificate, protocols },
          {
            secured: (secured, protocol) =>
              attempt.done({ link: secured, serverName: hello.serverName, protocol }),
            failed: () => attempt.fail(),
          },
        );
      });
      return () => attempt.cancel();
    },
    read(link, first, outcome) {
      const attempt = new Attempt(link, options, outcome);
      const gathered = new Held();
      const look = (bytes: Uint8Array): void => {
        gathered.add(bytes);
        const hello = parseClientHello(gathered.view());
        if (hello.kind === "more") return;
        if (hello.kind === "bad") {
          attempt.alert(hello.alert);
          return;
        }
        link.pause();
        attempt.choose(hello.value, (leaf) => {
          attempt.handshake(gathered.take(), leaf, hello.value);
        });
      };
      link.handler = attempt.until(look);
      look(first);
      return () => attempt.cancel();
    },
  };
}

type ServerSocket = TLSSocket & {
  /** Bun's own socket; Bun's types omit it. */
  _handle?: { setVerifyMode?(request: boolean, reject: boolean): void };
};

/**
 * BoringSSL takes a ClientHello of more than 16 KiB only where a client may have to send certificates. So we say that
 * we ask for one, and take that back while the protocol is negotiated, before the question is sent. A client of TLS
 * 1.2, or one that offers no protocol, still hears the question, and may leave it unanswered.
 */
function forLongHellos(stream: () => ServerSocket): object {
  return {
    requestCert: true,
    rejectUnauthorized: false,
    ALPNCallback(offered: { protocols: string[] }) {
      stream()._handle?.setVerifyMode?.(false, false);
      return protocols.find((protocol) => offered.protocols.includes(protocol));
    },
  };
}

/** One client's handshake. */
class Attempt {
  cancelBelow: Cancel | undefined;
  #settled = false;
  readonly #cancelDeadline: Cancel;

  constructor(
    readonly link: Link,
    readonly options: TerminatorOptions,
    readonly outcome: TerminateOutcome,
  ) {
    this.#cancelDeadline = options.clock.after(handshakeMilliseconds, () => {
      if (this.#settled) return;
      this.cancel();
      outcome.failed();
    });
  }

  /** Finds the certificate, or ends the connection with the alert that says why. */
  choose(hello: ClientHello, then: (leaf: Leaf) => void): void {
    const found = this.options.certificateFor(hello.serverName);
    if (found === undefined) {
      this.alert(Alert.unrecognizedName);
      return;
    }
    if (!(found instanceof Promise)) {
      then(found);
      return;
    }
    this.link.handler = this.until(() => {});
    found.then(
      (leaf) => {
        if (this.#settled) return;
        if (leaf === undefined) this.alert(Alert.unrecognizedName);
        else then(leaf);
      },
      (fault) => {
        this.options.fault(fault);
        this.link.abort();
        this.fail();
      },
    );
  }

  /** Node's TLS runs over the link: Bun's own TLS cannot be given bytes that have been read. */
  handshake(first: Uint8Array, leaf: Leaf, hello: ClientHello): void {
    // Most handshakes go by Bun's own TLS: a daemon at rest need not hold Node's.
    const { TLSSocket } = process.getBuiltinModule("node:tls");
    const below = linkStream(this.link, { first, fault: this.options.fault });
    const stream: ServerSocket = new TLSSocket(below as never, {
      isServer: true,
      key: leaf.key,
      cert: leaf.certificate,
      ciphers: cipherSuites,
      ...(first.length > usualFlight ? forLongHellos(() => stream) : { ALPNProtocols: protocols }),
    });
    this.cancelBelow = () => stream.destroy();
    const failed = (): void => {
      stream.destroy();
      this.fail();
    };
    stream.once("error", failed);
    stream.once("close", failed);
    stream.once("secure", () => {
      stream.off("error", failed);
      stream.off("close", failed);
      if (this.#settled) return;
      this.done({
        link: new StreamLink(
          stream,
          this.link,
          this.until(() => {}),
        ),
        serverName: hello.serverName,
        protocol: stream.alpnProtocol || undefined,
      });
    });
  }

  /** Tells the client why the handshake ends. */
  alert(alert: Alert): void {
    lastWords(this.link, fatalAlert(alert), {
      timer: this.options.clock,
      flush: lingerMilliseconds,
      linger: lingerMilliseconds,
      gone() {},
      failed: this.options.fault,
    });
    this.fail();
  }

  done(result: Terminated): void {
    if (this.#settle()) this.outcome.terminated(result);
  }

  fail(): void {
    if (this.#settle()) this.outcome.failed();
  }

  /** Ends the connection without an outcome. */
  cancel(): void {
    if (!this.#settle()) return;
    if (this.cancelBelow === undefined) this.link.abort();
    else this.cancelBelow();
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelDeadline();
    return true;
  }

  /** Handles the link while more of the ClientHello, or a certificate, is awaited. */
  until(data: (bytes: Uint8Array) => void): LinkHandler {
    return {
      data,
      drained() {},
      ended: () => {
        this.link.close();
        this.fail();
      },
      closed: () => this.fail(),
      failed: (fault) => {
        this.options.fault(fault);
        this.fail();
      },
    };
  }
}
