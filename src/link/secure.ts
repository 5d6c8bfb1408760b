/** A link of which nothing was read and a certificate into the link inside TLS. By Bun's own TLS, on the same socket. */
import type { Socket } from "bun";
import { nobody } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink, type SocketOwner } from "./socket-link.ts";
import { wireProtocols } from "./wire-protocols.ts";

export type ServerIdentity = {
  /** PEM. */
  key: string;
  cert: string;
  /** Application protocols by preference, as RFC 7301 has them. */
  protocols: readonly string[];
};

export type SecureOutcome = {
  /** `protocol`: the one agreed on; undefined where the client spoke of none. Set the link's handler before returning. */
  secured(link: SocketLink, protocol: string | undefined): void;
  /** The client did not go through with it; its connection is closed. */
  failed(): void;
};

/** Undoes it: the connection ends, and no outcome is told. */
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
      // Bun's types leave it out; without it the socket would speak as a client.
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

/** The time before there is a link. */
class Handshake implements SocketOwner {
  #settled = false;

  constructor(readonly outcome: SecureOutcome) {}

  /** @returns false where an outcome was told already. */
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
    // Application data cannot come before the handshake is done.
  }

  writable(): void {}

  finished(): void {
    this.gone();
  }

  gone(): void {
    if (this.settle()) this.outcome.failed();
  }
}
