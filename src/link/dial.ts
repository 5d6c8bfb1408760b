/** An address and a port into a connected link, inside TLS where that is asked for, or the reason why not. */
import type { Socket } from "bun";
import { type HandshakeVerdict, handshakeVerdict } from "./handshake-verdict.ts";
import type { LinkHandler } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink, type SocketOwner } from "./socket-link.ts";
import { wireProtocols } from "./wire-protocols.ts";

export type DialOutcome = {
  connected(link: SocketLink): void;
  /** The system's name for why not: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`. */
  failed(code: string): void;
  /** It took the connection, but TLS did not come about. Only where that was asked for. */
  unsecured?(verdict: Exclude<HandshakeVerdict, { kind: "secured" }>): void;
};

export type DialTarget = {
  address: string;
  port: number;
  /** TLS, and HTTP/1.1 in it; whose certificate it is does not matter. `serverName`: a DNS name, or "" to name none. */
  tls?: { serverName: string } | undefined;
};

/** Gives up; after it no outcome is told. */
export type CancelDial = () => void;

/** Starts to connect. Exactly one outcome is told, later, unless cancelled. `handler` gets the link's events. */
export function dial(target: DialTarget, outcome: DialOutcome, handler: LinkHandler): CancelDial {
  return target.tls === undefined
    ? dialPlain(target, outcome, handler)
    : dialSecured(target, { ...outcome, handler, serverName: target.tls.serverName });
}

function dialPlain(
  { address, port }: DialTarget,
  outcome: DialOutcome,
  handler: LinkHandler,
): CancelDial {
  let settled = false;
  const fail = (error: unknown): void => {
    if (settled) return;
    settled = true;
    outcome.failed(codeOf(error));
  };
  Bun.connect<SocketLink>({
    hostname: address,
    port,
    allowHalfOpen: true,
    // The link is made when the socket is open: only then are its addresses known.
    data: undefined as unknown as SocketLink,
    socket: {
      ...socketEvents,
      open(socket) {
        if (settled) {
          socket.terminate();
          return;
        }
        settled = true;
        socket.data = new SocketLink(socket, handler);
        outcome.connected(socket.data);
      },
      connectError(_socket, error) {
        fail(error);
      },
    },
  }).catch(fail);
  return () => {
    settled = true;
  };
}

type SecuredTurn = DialOutcome & { handler: LinkHandler; serverName: string };

function dialSecured({ address, port }: DialTarget, turn: SecuredTurn): CancelDial {
  let opened: Socket<SocketOwner> | undefined;
  let settled = false;
  /** @returns false where an outcome was told already. */
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    return true;
  };
  const fail = (error: unknown): void => {
    if (settle()) turn.failed(codeOf(error));
  };
  const lost = (): void => {
    if (settle()) turn.unsecured?.({ kind: "lost" });
  };
  /** The time before there is a link: no application data can come. */
  const handshake: SocketOwner = { received() {}, writable() {}, finished: lost, gone: lost };
  Bun.connect<SocketOwner>({
    hostname: address,
    port,
    allowHalfOpen: true,
    data: handshake,
    tls: {
      rejectUnauthorized: false,
      ALPNProtocols: wireProtocols(["http/1.1"]),
      ...(turn.serverName === "" ? {} : { serverName: turn.serverName }),
    },
    socket: {
      ...socketEvents,
      open(socket) {
        opened = socket;
        if (settled) socket.terminate();
      },
      handshake(socket, success, error) {
        if (!settle()) return;
        const verdict = handshakeVerdict(success, error);
        if (verdict.kind !== "secured") {
          socket.terminate();
          turn.unsecured?.(verdict);
          return;
        }
        const link = new SocketLink(socket as unknown as Socket<SocketLink>, turn.handler);
        socket.data = link;
        turn.connected(link);
      },
      connectError(_socket, error) {
        fail(error);
      },
    },
  }).catch(fail);
  return () => {
    if (settle()) opened?.terminate();
  };
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "ECONNFAILED";
}
