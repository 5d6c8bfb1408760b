/** Our end of a TCP connection -> the socket that this machine's kernel has at the other end. Uses libc. */
import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";
import { type PeerSocket, peerInTable, type SocketPair } from "./proc-net-peer.ts";

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

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
} as const;

/**
 * Values for Linux on x86-64 and arm64: <bits/socket.h>, <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>.
 */
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
const MSG_DONTWAIT = 0x40;
const IPPROTO_TCP = 6;
const TCP_LISTEN = 10;
const ENOENT = 2;
/** The loopback device's index in every network namespace: `curl --interface lo` binds its socket to it. */
const loopbackDevice = 1;

/** struct nlmsghdr, 16 octets; struct inet_diag_req_v2, 56; struct inet_diag_msg, 72. sock_diag(7). */
const headerLength = 16;
const requestLength = headerLength + 56;
/** Offsets of struct inet_diag_sockid in the request and in the answer. Ports come first, then addresses. */
const requestId = headerLength + 8;
const answerId = headerLength + 4;
const portsLength = 4;
const addressLength = 16;
const idLength = portsLength + 2 * addressLength;
const answerLength = headerLength + 72;

/**
 * Asks one question over netlink, answered within the call in microseconds, however many sockets there are. Undefined
 * if this kernel does not answer. ENOENT means either that the socket or that the kernel module does not exist, so a
 * socket that is known to exist is asked for first.
 */
function diagnostics(): Find | undefined {
  const opened = libc(signatures);
  if (opened === undefined) return undefined;
  const calls = opened;
  const descriptor = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (descriptor < 0) return undefined;
  const request = new Uint8Array(requestLength);
  const answer = new Uint8Array(4_096);
  const out = new DataView(request.buffer);
  const in_ = new DataView(answer.buffer);
  const device = requestId + idLength;
  out.setUint32(0, requestLength, true);
  out.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  out.setUint16(6, NLM_F_REQUEST, true);
  request[headerLength + 1] = IPPROTO_TCP;
  // idiag_states: all states. idiag_cookie: INET_DIAG_NOCOOKIE.
  request.fill(0xff, headerLength + 4, requestId);
  request.fill(0xff, device + 4, requestLength);
  let sequence = 0;

  /** Sends the question in `request`. Returns where the answer ends; 0: no such socket; -1: no answer. */
  function ask(): number {
    sequence = (sequence + 1) >>> 0;
    out.setUint32(8, sequence, true);
    if (Number(calls.send(descriptor, request, requestLength, MSG_DONTWAIT)) !== requestLength) {
      return -1;
    }
    for (;;) {
      const length = Number(calls.recv(descriptor, answer, answer.length, MSG_DONTWAIT));
      if (length < headerLength + 4) return -1;
      // The answer to an earlier question that was never read.
      if (in_.getUint32(8, true) !== sequence) continue;
      if (in_.getUint16(4, true) !== NLMSG_ERROR) return length >= answerLength ? length : -1;
      return in_.getInt32(headerLength, true) === -ENOENT ? 0 : -1;
    }
  }

  const find: Find = ({ own, ownPort, peer, peerPort }) => {
    const ipv6 = own.length === 16;
    request[headerLength] = ipv6 ? AF_INET6 : AF_INET;
    request.fill(0, requestId, device + 4);
    // The peer's socket has our addresses and ports, swapped.
    out.setUint16(requestId, peerPort);
    out.setUint16(requestId + 2, ownPort);
    request.set(peer, requestId + portsLength);
    request.set(own, requestId + portsLength + addressLength);
    let length = ask();
    if (length === 0) {
      out.setUint32(device, loopbackDevice, true);
      length = ask();
    }
    if (length === -1) return "unknown";
    if (length === 0) return "none";
    // If there is no connection, the kernel may answer with a listener on the same port.
    if (answer[headerLength + 1] === TCP_LISTEN) return "none";
    for (let at = 0; at < portsLength; at++) {
      if (answer[answerId + at] !== request[requestId + at]) return "none";
    }
    return {
      uid: in_.getUint32(headerLength + 64, true),
      inode: in_.getUint32(headerLength + 68, true),
    };
  };

  /** Whether diagnostics find a listener that we open for this check. */
  function works(): boolean {
    const listener = calls.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return false;
    try {
      const address = new Uint8Array(16);
      address.set([AF_INET, 0, 0, 0, 127, 0, 0, 1]);
      const length = new Uint32Array([address.length]);
      if (calls.bind(listener, address, address.length) !== 0) return false;
      if (calls.listen(listener, 1) !== 0) return false;
      if (calls.getsockname(listener, address, length) !== 0) return false;
      request[headerLength] = AF_INET;
      request.fill(0, requestId, device + 4);
      request.set(address.subarray(2, 4), requestId);
      request.set(address.subarray(4, 8), requestId + portsLength);
      return ask() > 0 && answer[headerLength + 1] === TCP_LISTEN;
    } finally {
      calls.close(listener);
    }
  }

  if (!works()) {
    calls.close(descriptor);
    return undefined;
  }
  return find;
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
