/** A port number -> whether a server could listen on it now. Uses libc: Bun's listeners share ports and fall back. */
import { libc } from "./libc.ts";

export interface Loopback {
  /** Checks 127.0.0.1, ::1 and the wildcard addresses: binds and closes each at once, without listening. */
  isFree(port: number): boolean;
}

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
} as const;

const SOCK_STREAM = 1;
const AF_INET = 2;
const IPPROTO_IPV6 = 41;

/** Constants of <sys/socket.h> and <netinet/in.h> on both systems. */
const numbers: Record<
  string,
  { inet6: number; socket: number; reuse: number; v6only: number; lengthFirst: boolean }
> = {
  linux: { inet6: 10, socket: 1, reuse: 2, v6only: 26, lengthFirst: false },
  darwin: { inet6: 30, socket: 0xffff, reuse: 4, v6only: 27, lengthFirst: true },
};

const addresses: readonly { family: 4 | 6; bytes: readonly number[] }[] = [
  { family: 4, bytes: [127, 0, 0, 1] },
  { family: 4, bytes: [0, 0, 0, 0] },
  { family: 6, bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
  { family: 6, bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
];

/** Without a C library, every port counts as free; a server that cannot listen on it reports the error itself. */
export function loopback(platform: string): Loopback {
  const calls = libc(signatures);
  const system = numbers[platform];
  if (calls === undefined || system === undefined) return { isFree: () => true };
  const one = new Int32Array([1]);

  /** struct sockaddr_in and sockaddr_in6. */
  function address(port: number, { family, bytes }: (typeof addresses)[number]): Uint8Array {
    const made = new Uint8Array(family === 4 ? 16 : 28);
    const number = family === 4 ? AF_INET : system!.inet6;
    if (system!.lengthFirst) made.set([made.length, number]);
    else made.set([number, 0]);
    made.set([port >> 8, port & 0xff], 2);
    made.set(bytes, family === 4 ? 4 : 8);
    return made;
  }

  function binds(port: number, place: (typeof addresses)[number]): boolean {
    const family = place.family === 4 ? AF_INET : system!.inet6;
    const descriptor = calls!.socket(family, SOCK_STREAM, 0);
    // This system has no IPv6, so nothing can hold the port there; or no descriptor is left, which says nothing of it.
    if (descriptor < 0) return true;
    try {
      // SO_REUSEADDR, as servers set it: connections in TIME_WAIT do not keep a server from listening.
      calls!.setsockopt(descriptor, system!.socket, system!.reuse, one, 4);
      if (place.family === 6) {
        calls!.setsockopt(descriptor, IPPROTO_IPV6, system!.v6only, one, 4);
      }
      const bytes = address(port, place);
      if (calls!.bind(descriptor, bytes, bytes.length) === 0) return true;
      // ::1 is missing where IPv6 is switched off; then port 0 fails there as well.
      if (place.family === 4) return false;
      const probe = address(0, place);
      return calls!.bind(descriptor, probe, probe.length) !== 0;
    } finally {
      calls!.close(descriptor);
    }
  }

  return { isFree: (port) => addresses.every((place) => binds(port, place)) };
}
