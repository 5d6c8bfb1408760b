/** A path into a unix datagram socket that hears everything sent to it. By libc, because Bun has no such socket of its own. */
import { unlinkSync } from "node:fs";
import { libc } from "./libc.ts";

export type Datagrams = {
  /** Hears no more, and takes the path away. Twice is harmless. */
  close(): void;
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
/** SOCK_CLOEXEC and SOCK_NONBLOCK of socket(2), Linux: no service may inherit another's. */
const cloexecNonblock = 0o2_004_000;

/** fcntl(2), Linux. */
const F_DUPFD_CLOEXEC = 1030;

/** sun_path in unix(7), with its NUL: 108 on Linux, 104 on macOS. */
export const longestPath = 103;

/**
 * `hear` is told of each datagram; the bytes are its only until it returns. What stands at the path is taken away first.
 *
 * @throws Error with a sentence, where there can be none.
 */
export async function datagrams(
  path: string,
  { platform, hear }: { platform: string; hear: (bytes: Uint8Array) => void },
): Promise<Datagrams> {
  const bytes = Buffer.from(path);
  if (bytes.length > longestPath) {
    throw new Error(
      `${path} is longer than the ${longestPath} bytes that a socket's path may have`,
    );
  }
  const calls = libc(signatures);
  if (calls === undefined) throw new Error("there is no C library to make a socket with");
  const linux = platform === "linux";
  // On macOS Bun makes it non-blocking when it adopts it, and closes all descriptors but three in what it spawns.
  const descriptor = calls.socket(AF_UNIX, linux ? SOCK_DGRAM | cloexecNonblock : SOCK_DGRAM, 0);
  if (descriptor < 0) throw new Error("no descriptor is left for a socket");
  const address = new Uint8Array(2 + bytes.length + 1);
  address.set(linux ? [AF_UNIX, 0] : [address.length, AF_UNIX]);
  address.set(bytes, 2);
  remove(path);
  if (calls.bind(descriptor, address, address.length) !== 0) {
    calls.close(descriptor);
    throw new Error(`no socket can be made at ${path}`);
  }
  let socket: Bun.Socket | undefined;
  let closed = false;

  /**
   * Bun reads of a copy: it takes an empty datagram for the end of a stream, and closes. Whatever came behind it waits in the
   * socket for the next copy.
   */
  async function adopt(): Promise<void> {
    const copy = linux ? calls!.fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : calls!.dup(descriptor);
    if (copy < 0) throw new Error("no descriptor is left for a socket");
    const options: { fd: number; socket: Bun.SocketHandler<undefined> } = {
      fd: copy,
      socket: {
        data: (_socket, datagram) => hear(datagram),
        error() {
          // Of one datagram; the next comes all the same.
        },
        close() {
          if (closed) return;
          adopt().catch(() => {
            // Out of descriptors: nothing more is heard, which the service's timeouts will tell.
          });
        },
      },
    };
    // Bun takes a descriptor here, and its types do not know.
    const adopted = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>);
    if (closed) adopted.terminate();
    else socket = adopted;
  }

  try {
    await adopt();
  } catch (error) {
    calls.close(descriptor);
    remove(path);
    throw error;
  }
  return {
    close() {
      if (closed) return;
      closed = true;
      socket?.terminate();
      calls.close(descriptor);
      remove(path);
    },
  };
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
