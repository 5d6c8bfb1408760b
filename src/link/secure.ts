/** An unread link and a certificate -> the link inside TLS. Uses Bun's own TLS, on the same socket. */
import type { Socket } from "bun";
import { cipherSuites } from "./cipher-suites.ts";
import { nobody } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink, type SocketOwner } from "./socket-link.ts";
import { wireProtocols } from "./wire-protocols.ts";

export type ServerIdentity = {
  /** The private key as PEM. */
  key: string;
  cert: string;
  /** Application protocols in order of preference, as in RFC 7301. */
  protocols: readonly string[];
};

export type SecureOutcome = {
  /** `protocol`: the negotiated one; undefined if the client offered none. Set the link's handler before returning. */
  secured(link: SocketLink, protocol: string | undefined): void;
  /** The handshake failed or the client gave up; its connection is closed. */
  failed(): void;
};

/** Cancels the handshake: the connection ends, and no outcome is reported. */
export type CancelHandshake = () => void;

export function secure(
  link: SocketLink,
  identity: ServerIdentity,
  outcome: SecureOutcome,
): CancelHandshake {
  const handshake = new Handshake(outcome);
  const [, secured] = link.surrender().upgradeTLS<SocketOwner>({
    data: handshake,
    tls: {
      key: identity.key,
      cert: identity.cert,
      ALPNProtocols: wireProtocols(identity.protocols),
      ciphers: cipherSuites,
      // Bun's types omit this option; without it, the socket would act as a client.
      ...({ isServer: true } as object),
    },
    socket: {
      ...socketEvents,
      open() {},
      handshake(socket, success) {
        handshake.done(socket, success);
      },
    },
  });
  return () => {
    if (handshake.settle()) secured.terminate();
  };
}

/** Owns the socket until there is a link. */
class Handshake implements SocketOwner {
  #settled = false;

  constructor(readonly outcome: SecureOutcome) {}

  /** @returns false if an outcome was reported already. */
  settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }

  done(socket: Socket<SocketOwner>, success: boolean): void {
    if (!this.settle()) return;
    if (!success) {
      socket.end();
      this.outcome.failed();
      return;
    }
    const link = new SocketLink(socket as unknown as Socket<SocketLink>, nobody);
    socket.data = link;
    this.outcome.secured(link, socket.alpnProtocol || undefined);
  }

  received(): void {
    // Application data cannot arrive before the handshake is complete.
  }

  writable(): void {}

  finished(): void {
    this.gone();
  }

  gone(): void {
    if (this.settle()) this.outcome.failed();
  }
}
