/**
 * A path -> a Unix datagram socket that passes on every datagram sent to it. Uses libc: Bun has no datagram sockets.
 */
import { closeSync, openSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { unwritableWhy } from "../text/unwritable.ts";
import { libc } from "./libc.ts";
import { refusedDescriptor } from "./refused-descriptor.ts";

export type Datagrams = {
  /** Stops listening and removes the path. Calling it twice is harmless. */
  close(): void;
  /** Hears nothing more until `goOn`: what is sent waits in the descriptor that is returned. */
  halt(): number;
  goOn(): void;
  /** Another process has the descriptor, and the path with it. */
  leave(): void;
};

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  dup: { args: ["i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
} as const;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** SOCK_CLOEXEC and SOCK_NONBLOCK of socket(2) on Linux: no service may inherit another service's socket. */
const cloexecNonblock = 0o2_004_000;

/** fcntl(2), Linux. */
const F_DUPFD_CLOEXEC = 1030;

/** sun_path in unix(7), with its NUL: 108 on Linux, 104 on macOS. */
export const longestPath = 103;

export type DatagramOptions = {
  platform: string;
  hear: (bytes: Uint8Array) => void;
  /** A socket that another process had bound to the path; ours from now on. Undefined: a new one. */
  from?: number | undefined;
};

/**
 * `hear` is called with each datagram; the bytes are only valid until it returns. An existing file at the path is
 * removed first.
 *
 * @throws Error with a sentence, if the socket cannot be created.
 */
export async function datagrams(
  path: string,
  { platform, hear, from }: DatagramOptions,
): Promise<Datagrams> {
  const bytes = Buffer.from(path);
  if (bytes.length > longestPath) {
    throw new Error(
      `${path} is longer than the ${longestPath} bytes that a socket's path may have`,
    );
  }
  const calls = libc(signatures);
  if (calls === undefined)
    throw new Error("no C library can be loaded, so no socket can be created");
  const linux = platform === "linux";
  // On macOS, Bun makes the descriptor non-blocking when it adopts it, and closes all descriptors but three in the
  // processes that it spawns.
  const bound = (): number => {
    const made = calls.socket(AF_UNIX, linux ? SOCK_DGRAM | cloexecNonblock : SOCK_DGRAM, 0);
    if (made < 0) throw outOfDescriptors();
    const address = new Uint8Array(2 + bytes.length + 1);
    address.set(linux ? [AF_UNIX, 0] : [address.length, AF_UNIX]);
    address.set(bytes, 2);
    removed(path);
    if (calls.bind(made, address, address.length) === 0) return made;
    calls.close(made);
    // libc's errno is gone before JavaScript could read it; a file in the same place meets the same obstacle.
    const fault = refusedFile(`${path}.try`);
    const why = fault === undefined ? "" : `: ${unwritableWhy(fault)}`;
    throw new Error(`no socket can be created in ${dirname(path)}${why}`);
  };
  const descriptor = from ?? bound();
  let socket: Bun.Socket | undefined;
  let closed = false;

  /**
   * Bun reads from a copy of the descriptor: it takes an empty datagram for the end of a stream and closes the socket.
   * Later datagrams wait in the original socket for the next copy.
   */
  async function adopt(): Promise<void> {
    const copy = linux ? calls!.fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : calls!.dup(descriptor);
    if (copy < 0) throw outOfDescriptors();
    const options: { fd: number; socket: Bun.SocketHandler<undefined> } = {
      fd: copy,
      socket: {
        data: (_socket, datagram) => hear(datagram),
        error() {
          // An error of one datagram; the next one arrives all the same.
        },
        close() {
          if (closed) return;
          adopt().catch(() => {
            // We are out of descriptors, so no more datagrams arrive. The service's timeouts report that.
          });
        },
      },
    };
    // Bun accepts a descriptor here, but its types do not include it.
    const adopted = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>);
    if (closed) adopted.terminate();
    else socket = adopted;
  }

  const hearNoMore = (): void => {
    closed = true;
    socket?.terminate();
    socket = undefined;
  };

  try {
    await adopt();
  } catch (error) {
    calls.close(descriptor);
    removed(path);
    throw error;
  }
  return {
    close() {
      if (closed) return;
      hearNoMore();
      calls.close(descriptor);
      removed(path);
    },
    halt() {
      hearNoMore();
      return descriptor;
    },
    goOn() {
      closed = false;
      adopt().catch(() => {
        // As above.
      });
    },
    leave() {
      calls.close(descriptor);
    },
  };
}

function outOfDescriptors(): Error {
  const code = refusedDescriptor() ?? "EMFILE";
  return Object.assign(new Error(`the process is out of file descriptors (${code})`), { code });
}

/** The error that a new file there meets; undefined: none. */
function refusedFile(path: string): NodeJS.ErrnoException | undefined {
  try {
    closeSync(openSync(path, "wx", 0o600));
    unlinkSync(path);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function removed(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There is none, or the file system is read-only or gone. A service must end all the same, and a socket that is
    // left there is taken over or refused when the next one is created.
  }
}
