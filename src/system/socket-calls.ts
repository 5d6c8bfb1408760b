/** A socket's descriptor -> socket state and options that Bun has no call for. Uses libc. */
import { libc as open } from "./libc.ts";

/**
 * `quiet`: nothing has arrived. `spoke`: bytes, the peer's end or an error are waiting. `unknown`: the system cannot
 * say.
 */
export type Peeked = "quiet" | "spoke" | "unknown";

export interface SocketCalls {
  /** Whether there is something to read. */
  peek(descriptor: number): Peeked;
  /** Copies waiting bytes into `into` without consuming them. @returns the number of bytes; 0 if there are none. */
  look(descriptor: number, into: Uint8Array): number;
  /**
   * Makes a listener report a connection only once it has sent something, or after about a second. Linux; elsewhere
   * this does nothing.
   */
  deferAccept(descriptor: number): void;
  /** Acknowledges received data now instead of up to 40 ms later. Linux; elsewhere this does nothing. */
  acknowledge(descriptor: number): void;
}

const signatures = {
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
} as const;

/** POLLIN of poll(2) and MSG_PEEK of recv(2): the same values on every system we know. */
const POLLIN = 1;
const MSG_PEEK = 2;
/** MSG_DONTWAIT differs between systems, and Bun's sockets do not block anyway. */
const IPPROTO_TCP = 6;
/** tcp(7), Linux. */
const TCP_DEFER_ACCEPT = 9;
const TCP_QUICKACK = 12;

/** Without a C library, `peek` answers `unknown` and `look` returns 0. */
export function socketCalls(platform: string): SocketCalls {
  const libc = open(signatures);
  if (libc === undefined) {
    return { peek: () => "unknown", look: () => 0, deferAccept() {}, acknowledge() {} };
  }
  // struct pollfd: int fd, short events, short revents.
  const pollfd = new Int32Array(2);
  /** One second, or `true`. */
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
