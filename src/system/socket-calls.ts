/** A socket's descriptor into whether the kernel holds anything for it that has not been read yet. By libc, since Bun has no call for it. */
import { dlopen } from "bun:ffi";

/** `quiet`: nothing has come. `spoke`: bytes, the peer's end or an error wait. `unknown`: this system cannot say. */
export type Peeked = "quiet" | "spoke" | "unknown";

const libraries = [
  "libc.so.6",
  "libSystem.B.dylib",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
];

/** POLLIN, POLLERR, POLLHUP and POLLNVAL have these values on every system we know: poll(2). */
const POLLIN = 1;

/** A look at a socket that takes nothing. Where no C library can be opened it always says `unknown`. */
export function socketPeek(): (descriptor: number) => Peeked {
  const poll = openPoll();
  if (poll === undefined) return () => "unknown";
  // struct pollfd: int fd, short events, short revents.
  const pollfd = new Int32Array(2);
  return (descriptor) => {
    pollfd[0] = descriptor;
    pollfd[1] = POLLIN;
    const ready = poll(pollfd, 1, 0);
    if (ready === 0) return "quiet";
    return ready > 0 ? "spoke" : "unknown";
  };
}

function openPoll(): ((fds: Int32Array, count: number, timeout: number) => number) | undefined {
  for (const library of libraries) {
    try {
      const { symbols } = dlopen(library, {
        poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
      });
      return symbols.poll as (fds: Int32Array, count: number, timeout: number) => number;
    } catch {
      // Another system's name for it; the next may be this one's.
    }
  }
  return undefined;
}
