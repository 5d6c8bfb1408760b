/** Addresses and ports -> the socket that the kernel has for them, by its socket diagnostics. Linux, by libc. */
import { libc } from "./libc.ts";
import type { SocketPair } from "./proc-net-peer.ts";

/** `isExact`: it has the ports that were asked for, and not only one of them. */
export type Diagnosed = { uid: number; inode: number; listens: boolean; isExact: boolean };

export interface SocketDiagnostics {
  /**
   * The socket with these addresses and ports as its own and its peer's, or else the listener that a connection from
   * such a peer would reach. `device`: by the device with this index; 0: by any. `unknown`: the kernel did not answer.
   */
  find(socket: SocketPair, by: { device: number }): Diagnosed | "none" | "unknown";
}

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
export const loopbackDevice = 1;

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
export function socketDiagnostics(): SocketDiagnostics | undefined {
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

  function find(
    { own, ownPort, peer, peerPort }: SocketPair,
    { device: index }: { device: number },
  ) {
    request[headerLength] = own.length === 16 ? AF_INET6 : AF_INET;
    request.fill(0, requestId, device + 4);
    out.setUint16(requestId, ownPort);
    out.setUint16(requestId + 2, peerPort);
    request.set(own, requestId + portsLength);
    request.set(peer, requestId + portsLength + addressLength);
    out.setUint32(device, index, true);
    const length = ask();
    if (length === -1) return "unknown";
    if (length === 0) return "none";
    let isExact = true;
    for (let at = 0; at < portsLength; at++) {
      isExact &&= answer[answerId + at] === request[requestId + at];
    }
    return {
      uid: in_.getUint32(headerLength + 64, true),
      inode: in_.getUint32(headerLength + 68, true),
      listens: answer[headerLength + 1] === TCP_LISTEN,
      isExact,
    };
  }

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
  return { find };
}
