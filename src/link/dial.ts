/** An address and a port into a connected link, or the reason why not. */
import type { LinkHandler } from "./link.ts";
import { socketEvents } from "./socket-events.ts";
import { SocketLink } from "./socket-link.ts";

export type DialOutcome = {
  connected(link: SocketLink): void;
  /** `code` is the system's name for it: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`. */
  failed(code: string): void;
};

/** Gives up; after it neither outcome is told. */
export type CancelDial = () => void;

/** Starts to connect. Exactly one outcome is told, later, unless cancelled. `handler` gets the link's events. */
export function dial(
  { address, port }: { address: string; port: number },
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

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "ECONNFAILED";
}
