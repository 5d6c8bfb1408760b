/** An address and a port -> a connection that the kernel makes, or whether the server has no room for one. Linux. */
import { isIPv4 } from "node:net";
import { libc } from "./libc.ts";

/**
 * A connection over loopback opens within connect(2), unless the queue of those that the server has not accepted is
 * full: then the kernel drops the attempt, and repeats it after 1, 3, 7 and more seconds. Bun can neither tell that nor
 * give such an attempt up.
 */
export interface Knocks {
  /** Begins to connect. @returns the socket's descriptor; -1: this address is none for us, or no descriptor is left. */
  begin(address: string, port: number): number;
  /** `pending`: there is no room, or a busy kernel has not got to it. `failed`: refused, or anything else. */
  look(descriptor: number): "open" | "pending" | "failed";
  /** Gives it up. Not for a descriptor that a Bun socket has. */
  close(descriptor: number): void;
}

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
} as const;

/** <bits/socket.h> and <poll.h> of Linux on x86-64 and arm64. */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const POLLOUT = 4;
/** sizeof of struct sockaddr_in and struct sockaddr_in6. */
const length4 = 16;
const length6 = 28;

/** Undefined where connections over loopback do not open at once, or where we cannot ask. */
export function knocks(platform: string): Knocks | undefined {
  const calls = platform === "linux" ? libc(signatures) : undefined;
  if (calls === undefined) return undefined;
  const place = new Uint8Array(length6);
  /** The address that is in `place`. */
  let written = "";
  let length = 0;
  // struct pollfd: int fd, short events, short revents.
  const pollfd = new Int32Array(2);

  /** Writes a sockaddr, but for its port. @returns its length; 0: not an address that we write. */
  function write(address: string): number {
    const v4 = isIPv4(address);
    if (!v4 && address !== "::1") return 0;
    place.fill(0);
    // The family is in the machine's order of bytes, which is little-endian on both.
    place[0] = v4 ? AF_INET : AF_INET6;
    if (v4) place.set(address.split(".").map(Number), 4);
    else place[23] = 1;
    return v4 ? length4 : length6;
  }

  return {
    begin(address, port) {
      if (address !== written) {
        length = write(address);
        written = address;
      }
      if (length === 0) return -1;
      place[2] = port >> 8;
      place[3] = port;
      const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
      const descriptor = calls.socket(place[0]!, type, 0);
      // Its outcome is the socket's state: `look`.
      if (descriptor >= 0) calls.connect(descriptor, place, length);
      return descriptor;
    },
    look(descriptor) {
      pollfd[0] = descriptor;
      pollfd[1] = POLLOUT;
      if (calls.poll(pollfd, 1, 0) === 0) return "pending";
      return pollfd[1]! >> 16 === POLLOUT ? "open" : "failed";
    },
    close(descriptor) {
      calls.close(descriptor);
    },
  };
}
