/** A path into a unix socket for commands. The number of connections is limited. */
import { chmodSync, closeSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import type { Link } from "../../link/link.ts";
import { type Listening, listen } from "../../link/listen.ts";
import { IpcRequest, type IpcOptions } from "./ipc-request.ts";

export interface IpcDoor {
  readonly path: string;
  readonly connections: number;
  /**
   * Puts our socket at the path and replaces anything else there. Calling this again restores a socket that another
   * daemon or a person has removed. @throws the system's error, with its `code`.
   */
  claim(): void;
  /** Our socket at the path; undefined: it is not ours. */
  socket(): { inode: bigint; descriptor: number } | undefined;
  /** Listens on the socket at the path, which the daemon before has handed to us. Not before `claim`. */
  adopt(socket: { inode: bigint; descriptor: number }): void;
  /** The socket is ours alone. Until then `stop` leaves it at its path, for the daemon before. */
  settle(): void;
  /**
   * Another daemon listens on our socket, which stays at its path. Resolves when replies under way have ended, bounded;
   * the conversation with that daemon goes on.
   */
  leave(): Promise<void>;
  /** Removes the socket if it is still ours. Resolves when replies under way have ended, bounded. Twice is harmless. */
  stop(): Promise<void>;
}

/** Milliseconds that replies under way have when the daemon stops. */
const drain = 2_000;
/** Milliseconds that they have when another daemon has our socket, and waits for none of them. */
const leavingPatience = 30_000;
const mostConnections = 512;

export type IpcDoorOptions = IpcOptions & {
  /** Makes the directory, which whatever cleans up temporary files may have removed with the socket. */
  prepare?(): void;
};

/** Nothing listens before `claim`. */
export function ipcDoor(options: IpcDoorOptions): IpcDoor {
  const { path, clock } = options;
  const connections = new Set<IpcRequest>();
  let bound: { listener: Listening; file: SocketFile } | undefined;
  /** The daemon before listens on our socket too. */
  let shared = false;

  function accept(link: Link): void {
    const request = new IpcRequest(link, options, () => connections.delete(request));
    link.handler = request;
    connections.add(request);
    if (connections.size > mostConnections) link.abort();
    else request.begin();
  }

  async function empty(milliseconds: number): Promise<void> {
    const end = clock.now() + milliseconds;
    const isLeft = (): boolean => [...connections].some((its) => !its.handsOver);
    while (isLeft() && clock.now() < end) {
      await new Promise<void>((resolve) => clock.after(5, resolve));
    }
    for (const request of [...connections]) if (!request.handsOver) request.drop();
  }

  let stopping: Promise<void> | undefined;
  return {
    path,
    get connections() {
      return connections.size;
    },
    claim() {
      if (stopping !== undefined || isUntouched(bound?.file, fileAt(path))) return;
      const before = bound;
      options.prepare?.();
      bound = bindAt(path, accept);
      before?.listener.stop();
    },
    socket() {
      if (bound === undefined || fileAt(path)?.inode !== bound.file.inode) return undefined;
      return { inode: bound.file.inode, descriptor: bound.listener.descriptor };
    },
    adopt({ inode, descriptor }) {
      // Somebody has removed or replaced it: `claim` puts one of ours there.
      const file = fileAt(path);
      if (file?.inode !== inode) {
        closeSync(descriptor);
        return;
      }
      bound = { listener: listen({ path, descriptor }, accept), file };
      shared = true;
    },
    settle() {
      shared = false;
    },
    async leave() {
      bound?.listener.stop();
      bound = undefined;
      for (const request of [...connections]) request.leave();
      await empty(leavingPatience);
    },
    stop() {
      stopping ??= (async () => {
        const isOurs = bound !== undefined && fileAt(path)?.inode === bound.file.inode;
        if (isOurs && !shared) unlinkSync(path);
        bound?.listener.stop();
        for (const request of [...connections]) request.finish();
        await empty(drain);
        for (const request of [...connections]) if (!request.handsOver) request.drop();
      })();
      return stopping;
    },
  };
}

/** The socket gets its name only once it is private: between bind(2) and chmod(2) the umask decides its mode. */
function bindAt(path: string, accept: (link: Link) => void) {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  const listener = listen({ path: temporary }, accept);
  try {
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
    const file = fileAt(path);
    if (file === undefined) throw new Error(`${path} is gone again`);
    return { listener, file };
  } catch (error) {
    listener.stop();
    throw error;
  }
}

type SocketFile = {
  inode: bigint;
  /** Nanoseconds; another name or mode changes it. */ changed: bigint;
};

/** Undefined if nothing is there. */
function fileAt(path: string): SocketFile | undefined {
  const its = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return its === undefined ? undefined : { inode: its.ino, changed: its.ctimeNs };
}

function isUntouched(ours: SocketFile | undefined, there: SocketFile | undefined): boolean {
  return ours !== undefined && ours.inode === there?.inode && ours.changed === there.changed;
}
