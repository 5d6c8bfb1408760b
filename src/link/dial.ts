/** An address and a port, or a path -> a connected link, inside TLS if requested, or the reason why there is none. */
import type { Socket } from "bun";
import { type HandshakeVerdict, handshakeVerdict } from "./handshake-verdict.ts";
import { isSocketPath } from "../text/place.ts";
import type { LinkHandler } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink, type SocketOwner } from "./socket-link.ts";
import { wireProtocols } from "./wire-protocols.ts";

export type DialOutcome = {
  /** `protocol`: the one that was negotiated inside TLS. */
  connected(link: SocketLink, protocol: string | undefined): void;
  /** The system's error code, such as `ECONNREFUSED`, `ETIMEDOUT` or `EHOSTUNREACH`. */
  failed(code: string): void;
  /** The connection was accepted, but the TLS handshake failed. Called only if TLS was requested. */
  unsecured?(verdict: Exclude<HandshakeVerdict, { kind: "secured" }>): void;
};

export type DialTarget = {
  /** A host, or the absolute path of a unix socket, for which the port does not matter. */
  address: string;
  port: number;
  /**
   * Requests TLS. The certificate is not verified. `serverName`: a DNS name, or "" to send none. `protocols`: the ones
   * to offer, in order of preference; HTTP/1.1 unless said otherwise.
   */
  tls?: { serverName: string; protocols?: readonly string[] } | undefined;
  /** A socket that is connected to it already, which becomes the link's. */
  descriptor?: number | undefined;
};

/** A place that Bun connects to, or a socket that is connected. */
type Reach = { fd: number } | { unix: string } | { hostname: string; port: number };

function reach({ address, port, descriptor }: DialTarget): Reach {
  if (descriptor !== undefined) return { fd: descriptor };
  return isSocketPath(address) ? { unix: address } : { hostname: address, port };
}

/** Gives up; no outcome is reported afterwards. */
export type CancelDial = () => void;

/** Starts to connect. Reports exactly one outcome, later, unless cancelled. `handler` receives the link's events. */
export function dial(target: DialTarget, outcome: DialOutcome, handler: LinkHandler): CancelDial {
  return target.tls === undefined
    ? dialPlain(target, outcome, handler)
    : dialSecured(target, { ...outcome, handler, ...target.tls });
}

function dialPlain(target: DialTarget, outcome: DialOutcome, handler: LinkHandler): CancelDial {
  let settled = false;
  const fail = (error: unknown): void => {
    if (settled) return;
    settled = true;
    outcome.failed(codeOf(error));
  };
  Bun.connect<SocketLink>({
    ...(reach(target) as { hostname: string; port: number }),
    allowHalfOpen: true,
    // The link is created when the socket is open: its addresses are not known before.
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
        outcome.connected(socket.data, undefined);
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

type SecuredTurn = DialOutcome & { handler: LinkHandler } & NonNullable<DialTarget["tls"]>;

function dialSecured(target: DialTarget, turn: SecuredTurn): CancelDial {
  let opened: Socket<SocketOwner> | undefined;
  let settled = false;
  /** @returns false if an outcome was reported already. */
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
  /** Owns the socket until there is a link: no application data can arrive yet. */
  const handshake: SocketOwner = { received() {}, writable() {}, finished: lost, gone: lost };
  Bun.connect<SocketOwner>({
    ...(reach(target) as { hostname: string; port: number }),
    allowHalfOpen: true,
    data: handshake,
    tls: {
      rejectUnauthorized: false,
      ALPNProtocols: wireProtocols(turn.protocols ?? ["http/1.1"]),
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
        turn.connected(link, socket.alpnProtocol || undefined);
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
