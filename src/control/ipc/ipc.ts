/** A path into a unix socket for commands. The number of connections is limited. */
import { chmodSync, lstatSync, renameSync, unlinkSync } from "node:fs";
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
  /** Removes the socket if it is still ours. Resolves when replies under way have ended, bounded. Twice is harmless. */
  stop(): Promise<void>;
}

/** Milliseconds that replies under way have when the daemon stops. */
const drain = 2_000;
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

  function accept(link: Link): void {
    const request = new IpcRequest(link, options, () => connections.delete(request));
    link.handler = request;
    connections.add(request);
    if (connections.size > mostConnections) link.abort();
    else request.begin();
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
    stop() {
      stopping ??= (async () => {
        if (bound !== undefined && fileAt(path)?.inode === bound.file.inode) unlinkSync(path);
        bound?.listener.stop();
        for (const request of [...connections]) request.finish();
        const end = clock.now() + drain;
        while (connections.size > 0 && clock.now() < end) {
          await new Promise<void>((resolve) => clock.after(5, resolve));
        }
        for (const request of [...connections]) request.drop();
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
