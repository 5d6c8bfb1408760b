/** A socket's descriptor into what the kernel knows of it that Bun has no call for. By libc. */
import { dlopen } from "bun:ffi";

/** `quiet`: nothing has come. `spoke`: bytes, the peer's end or an error wait. `unknown`: this system cannot say. */
export type Peeked = "quiet" | "spoke" | "unknown";

export interface SocketCalls {
  /** Whether something waits to be read. */
  peek(descriptor: number): Peeked;
  /** Copies what waits to be read into `into` and leaves it there. @returns how many bytes; 0 where there are none. */
  look(descriptor: number, into: Uint8Array): number;
  /** Has a listener tell of connections when they have sent something, or after about a second. Linux; elsewhere nothing changes. */
  deferAccept(descriptor: number): void;
  /** Acknowledges what has been read now, not up to 40 ms later. Linux; elsewhere nothing changes. */
  acknowledge(descriptor: number): void;
}

const libraries = [
  "libc.so.6",
  "libSystem.B.dylib",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

const signatures = {
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
} as const;

/** POLLIN, poll(2), and MSG_PEEK, recv(2): the same on every system we know. */
const POLLIN = 1;
const MSG_PEEK = 2;
/** MSG_DONTWAIT differs; Bun's sockets do not block anyway. */
const IPPROTO_TCP = 6;
/** tcp(7), Linux. */
const TCP_DEFER_ACCEPT = 9;
const TCP_QUICKACK = 12;

/** Where no C library can be opened, nothing is known and nothing is seen. */
export function socketCalls(platform: string): SocketCalls {
  const libc = open();
  if (libc === undefined) {
    return { peek: () => "unknown", look: () => 0, deferAccept() {}, acknowledge() {} };
  }
  // struct pollfd: int fd, short events, short revents.
  const pollfd = new Int32Array(2);
  /** A second, or a yes. */
  const one = new Int32Array([1]);
  return {
    peek(descriptor) {
      pollfd[0] = descriptor;
      pollfd[1] = POLLIN;
      const ready = libc.poll(pollfd, 1, 0);
      if (ready === 0) return "quiet";
      return ready > 0 ? "spoke" : "unknown";
    },
    look(descriptor, into) {
      return Math.max(0, Number(libc.recv(descriptor, into, into.length, MSG_PEEK)));
    },
    deferAccept(descriptor) {
      if (platform !== "linux") return;
      libc.setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, one, 4);
    },
    acknowledge(descriptor) {
      if (platform !== "linux" || descriptor < 0) return;
      libc.setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, one, 4);
    },
  };
}

function open() {
  for (const library of libraries) {
    try {
      return dlopen(library, signatures).symbols;
    } catch {
      // Another system's name for it; the next may be this one's.
    }
  }
  return undefined;
}
