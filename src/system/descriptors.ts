/**
 * The descriptor of a connected Unix socket -> bytes with open descriptors beside them, to the process at its other
 * end and from it: SCM_RIGHTS of unix(7). Uses libc, as Bun has no call for this.
 *
 * Bun's loop throws away descriptors that arrive on a socket of its own, so whoever receives has a socket that Bun does
 * not know. To send, any socket does, also one of Bun's. No call here waits.
 */
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { libc } from "./libc.ts";

export type Received =
  /** Descriptors come with the first of the bytes that they were sent with. They are ours, and exec closes them. */
  | { kind: "bytes"; bytes: Uint8Array; descriptors: number[] }
  /** Nothing has arrived. */
  | { kind: "nothing" }
  /** The other end has closed, or there was an error. */
  | { kind: "ended" }
  /** The kernel has kept back descriptors, as this process may not have that many. Those that came are closed. */
  | { kind: "short" };

export interface DescriptorCalls {
  /** Two sockets that are connected to each other, for a process that is started: neither of Bun's. Closed by exec. */
  pair(): { ours: number; theirs: number } | undefined;
  /** Connects to a listening Unix socket. Undefined: nobody listens there, or too many wait for an answer already. */
  connect(path: string): number | undefined;
  /**
   * All or nothing: false where there is no room for all of the bytes, or the other end is gone. The sender keeps its
   * descriptors. At most `mostDescriptors` of them, and at least one byte.
   */
  send(socket: number, bytes: Uint8Array, descriptors: readonly number[]): boolean;
  /** Bytes that have arrived, as many as there is room for. */
  receive(socket: number): Received;
}

/** Linux refuses more than 253 in a message (SCM_MAX_FD), and macOS more than about 500. */
export const mostDescriptors = 128;
/** Bytes of a message that every system's socket has room for, where nothing else waits in it. */
export const mostBytes = 4_096;
/** Bytes that are received at a time. */
const room = 64 * 1024;

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64"], returns: "i32" },
} as const;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SCM_RIGHTS = 1;
/** poll(2). */
const POLLIN = 1;
const POLLOUT = 4;

/**
 * Where the kernels differ. Linux: struct msghdr has 56 bytes and struct cmsghdr 16, with lengths of 64 bits, on x86-64
 * and arm64, glibc and musl alike. macOS: 48 and 12, with lengths of 32 bits. Those of macOS are from its headers, and
 * were never run.
 */
const layouts = {
  linux: {
    messageLength: 56,
    controlLengthAt: 40,
    flagsAt: 48,
    headerLength: 16,
    align: 8,
    SOL_SOCKET: 1,
    MSG_CTRUNC: 0x8,
    /** MSG_DONTWAIT and MSG_NOSIGNAL. */
    sending: 0x40 | 0x4000,
    /** MSG_DONTWAIT and MSG_CMSG_CLOEXEC. */
    receiving: 0x40 | 0x4000_0000,
    /** SOCK_CLOEXEC and SOCK_NONBLOCK. */
    socketFlags: 0o2_004_000,
    /** SOCK_CLOEXEC: whoever gets the other one may not know how to use one that never blocks. */
    pairFlags: 0o2_000_000,
  },
  darwin: {
    messageLength: 48,
    controlLengthAt: 40,
    flagsAt: 44,
    headerLength: 12,
    align: 4,
    SOL_SOCKET: 0xffff,
    MSG_CTRUNC: 0x20,
    /** MSG_DONTWAIT; SO_NOSIGPIPE is an option of the socket there. */
    sending: 0x80,
    receiving: 0x80,
    socketFlags: 0,
    pairFlags: 0,
  },
} as const;

/** macOS: `_IO('f', 1)` closes a descriptor on exec, without an argument that would be passed in another way. */
const FIOCLEX = 0x2000_6601;
const SO_NOSIGPIPE = 0x1022;

/** Undefined on other systems, and where there is no C library. */
export function descriptorCalls(platform: string): DescriptorCalls | undefined {
  if (platform !== "linux" && platform !== "darwin") return undefined;
  const calls = libc(signatures);
  if (calls === undefined) return undefined;
  const its = layouts[platform];
  const incoming = new Uint8Array(room);
  const control = new Uint8Array(its.headerLength + 4 * mostDescriptors + its.align);
  const controlView = new DataView(control.buffer);
  const pollfd = new Int32Array(2);

  const aligned = (length: number): number => Math.ceil(length / its.align) * its.align;
  const isReady = (socket: number, event: number): boolean => {
    pollfd[0] = socket;
    pollfd[1] = event;
    return calls.poll(pollfd, 1, 0) > 0;
  };

  /** The views have to stay referenced until the call with the message is over: the kernel gets addresses of them. */
  function message(bytes: Uint8Array, controlLength: number) {
    const part = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)]);
    const view = new DataView(new ArrayBuffer(its.messageLength));
    view.setBigUint64(16, BigInt(ptr(part)), true);
    view.setBigUint64(24, 1n, true);
    if (controlLength > 0) view.setBigUint64(32, BigInt(ptr(control)), true);
    // The upper half, where there is one, is zero.
    view.setUint32(its.controlLengthAt, controlLength, true);
    return { view, head: new Uint8Array(view.buffer), held: [bytes, part] };
  }

  return {
    pair() {
      const both = new Int32Array(2);
      if (calls.socketpair(AF_UNIX, SOCK_STREAM | its.pairFlags, 0, both) !== 0) return undefined;
      const [ours, theirs] = both as unknown as [number, number];
      if (platform === "darwin") for (const one of both) calls.ioctl(one, FIOCLEX);
      return { ours, theirs };
    },
    connect(path) {
      const name = Buffer.from(path);
      // sun_path in unix(7), with its NUL: 108 on Linux, 104 on macOS.
      if (name.length >= (platform === "linux" ? 108 : 104)) return undefined;
      const address = new Uint8Array(2 + name.length + 1);
      address.set(platform === "linux" ? [AF_UNIX, 0] : [address.length, AF_UNIX]);
      address.set(name, 2);
      const socket = calls.socket(AF_UNIX, SOCK_STREAM | its.socketFlags, 0);
      if (socket < 0) return undefined;
      if (platform === "darwin") {
        calls.ioctl(socket, FIOCLEX);
        calls.setsockopt(socket, its.SOL_SOCKET, SO_NOSIGPIPE, new Int32Array([1]), 4);
      }
      if (calls.connect(socket, address, address.length) === 0) return socket;
      closeSync(socket);
      return undefined;
    },
    send(socket, bytes, descriptors) {
      // The kernel would take a part of them.
      if (!isReady(socket, POLLOUT)) return false;
      const length = its.headerLength + 4 * descriptors.length;
      const some = descriptors.length > 0;
      if (some) {
        control.fill(0, 0, its.headerLength);
        controlView.setUint32(0, length, true);
        controlView.setInt32(its.headerLength - 8, its.SOL_SOCKET, true);
        controlView.setInt32(its.headerLength - 4, SCM_RIGHTS, true);
        descriptors.forEach((descriptor, index) => {
          controlView.setInt32(its.headerLength + 4 * index, descriptor, true);
        });
      }
      const { head, held } = message(bytes, some ? aligned(length) : 0);
      const sent = Number(calls.sendmsg(socket, head, its.sending));
      return held.length > 0 && sent === bytes.length;
    },
    receive(socket) {
      if (!isReady(socket, POLLIN)) return { kind: "nothing" };
      const { head, view, held } = message(incoming, control.length);
      const count = Number(calls.recvmsg(socket, head, its.receiving));
      if (held.length === 0 || count < 0) return { kind: "ended" };
      const descriptors = receivedIn(view.getUint32(its.controlLengthAt, true));
      if ((view.getInt32(its.flagsAt, true) & its.MSG_CTRUNC) !== 0) {
        for (const descriptor of descriptors) closeSync(descriptor);
        return { kind: "short" };
      }
      if (count === 0) return { kind: "ended" };
      if (platform === "darwin") for (const one of descriptors) calls.ioctl(one, FIOCLEX);
      return { kind: "bytes", bytes: incoming.slice(0, count), descriptors };
    },
  };

  function receivedIn(used: number): number[] {
    const found: number[] = [];
    for (let at = 0; at + its.headerLength <= used;) {
      const length = controlView.getUint32(at, true);
      if (length < its.headerLength) break;
      const level = controlView.getInt32(at + its.headerLength - 8, true);
      const type = controlView.getInt32(at + its.headerLength - 4, true);
      const end = Math.min(at + length, used);
      if (level === its.SOL_SOCKET && type === SCM_RIGHTS) {
        for (let from = at + its.headerLength; from + 4 <= end; from += 4) {
          found.push(controlView.getInt32(from, true));
        }
      }
      at += aligned(length);
    }
    return found;
  }
}
