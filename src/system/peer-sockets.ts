/** Our end of a TCP connection -> the socket that this machine's kernel has at the other end. */
import { readFileSync } from "node:fs";
import { type PeerSocket, peerInTable, type SocketPair } from "./proc-net-peer.ts";
import { loopbackDevice, socketDiagnostics } from "./socket-diagnostics.ts";

export type { PeerSocket } from "./proc-net-peer.ts";

/**
 * `none`: this kernel has no such socket. It was closed, or the client is not on this machine (on WSL: Windows).
 * `unknown`: this system cannot tell.
 */
export type Peer = PeerSocket | "none" | "unknown";

/** A connection on the loopback interface, as one of its ends sees it. A `Link` is one. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface PeerSockets {
  /**
   * Matches both addresses, both ports and the state, so that sharing a port number is not enough to pass for another
   * client.
   */
  find(ends: Ends): Peer;
}

export type PeerSocketsOptions = {
  /** For tests: `table` is the fallback for kernels without socket diagnostics. */
  by?: "diagnostics" | "table";
  /** `/proc`, or a test's replacement for it. */
  proc?: string;
};

/**
 * Undefined if the system does not report other processes' sockets. Only Linux does: macOS reports the owner of a
 * socket to root alone, and through no call in its headers.
 */
export function peerSockets(
  platform: string,
  options: PeerSocketsOptions = {},
): PeerSockets | undefined {
  if (platform !== "linux") return undefined;
  const ask = options.by === "table" ? undefined : diagnostics();
  const read = table(options.proc ?? "/proc");
  return {
    find(ends) {
      const pair = pairOf(ends);
      // A connection that has ended no longer has addresses.
      if (pair === undefined) return "none";
      const answer = ask?.(pair) ?? "unknown";
      // A kernel that is short of memory may fail to answer, and an unknown client is served. So the table is read
      // instead.
      return answer === "unknown" ? read(pair) : answer;
    },
  };
}

const loopback4 = new Uint8Array([127, 0, 0, 1]);
const loopback6 = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/**
 * Undefined unless both ends are on loopback. Also undefined for a connection that has ended: Bun forgets its ports.
 */
function pairOf({
  remoteAddress,
  remotePort,
  localAddress,
  localPort,
}: Ends): SocketPair | undefined {
  const peer = octetsOf(remoteAddress);
  const own = octetsOf(localAddress);
  if (peer === undefined || own?.length !== peer.length) return undefined;
  if (!(remotePort > 0 && localPort > 0)) return undefined;
  return { own, ownPort: localPort, peer, peerPort: remotePort };
}

/**
 * A loopback address -> its octets; undefined for any other address. RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.3
 * and 2.5.5.2.
 */
function octetsOf(address: string | undefined): Uint8Array | undefined {
  if (address === "127.0.0.1") return loopback4;
  if (address === "::1") return loopback6;
  const [, rest] = address?.match(/^(?:::ffff:)?127\.(\d+\.\d+\.\d+)$/) ?? [];
  return rest === undefined ? undefined : Uint8Array.from([127, ...rest.split(".").map(Number)]);
}

type Find = (pair: SocketPair) => Peer;

/** Undefined if this kernel does not answer. */
function diagnostics(): Find | undefined {
  const asks = socketDiagnostics();
  if (asks === undefined) return undefined;
  return ({ own, ownPort, peer, peerPort }) => {
    // The peer's socket has our addresses and ports, swapped.
    const socket = { own: peer, ownPort: peerPort, peer: own, peerPort: ownPort };
    const found = asks.find(socket, { device: 0 });
    const bound = found === "none" ? asks.find(socket, { device: loopbackDevice }) : found;
    if (typeof bound === "string") return bound;
    // If there is no connection, the kernel may answer with a listener on the same port.
    return bound.isExact && !bound.listens ? { uid: bound.uid, inode: bound.inode } : "none";
  };
}

/** Reads the table of all sockets for every question; kernels without diagnostics offer nothing else. */
function table(proc: string): Find {
  return (pair) => {
    let readable = false;
    // An IPv6 socket may carry IPv4.
    for (const file of pair.own.length === 4 ? ["tcp", "tcp6"] : ["tcp6"]) {
      let text: string;
      try {
        text = readFileSync(`${proc}/net/${file}`, "latin1");
      } catch {
        // There is no /proc, or the kernel has no IPv6: this table has no rows.
        continue;
      }
      readable = true;
      const found = peerInTable(text, pair);
      if (found !== undefined) return found;
    }
    return readable ? "none" : "unknown";
  };
}
