/** A script for each path -> a unix socket that answers like an engine that is ill. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";

/** Writes what it likes, once for each request. `pour` writes a piece for as long as the other side takes it. */
export type Script = (answer: Answering) => void;

export type Answering = {
  write(text: string): void;
  /** `times`: how often at most. */
  pour(piece: Uint8Array, times?: number): void;
  end(): void;
};

export interface FakeEngine extends Disposable {
  readonly path: string;
  /** The request lines so far. */
  readonly asked: readonly string[];
  /** Connections that are open. */
  readonly open: number;
  /** Sends a line to all that follow the events. */
  tell(action: string): void;
  /** Ends every connection, and listens no more. */
  kill(): void;
}

export const head =
  "HTTP/1.1 200 OK\r\nServer: Docker/28.0.0 (linux)\r\nContent-Type: application/json\r\n";

export function answerOf(text: string): Script {
  return ({ write, end }) => {
    write(`${head}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`);
    end();
  };
}

/** An events stream without an end. */
export const streams: Script = ({ write }) => write(`${head}Transfer-Encoding: chunked\r\n\r\n`);

type State = { pours: (() => void) | undefined; follows: boolean };

export function fakeEngine(
  scripts: Record<string, Script>,
  { path = join(mkdtempSync(join(tmpdir(), "engine-")), "docker.sock") }: { path?: string } = {},
): FakeEngine {
  const asked: string[] = [];
  const sockets = new Set<Socket<State>>();
  const listener = Bun.listen<State>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = { pours: undefined, follows: false };
        sockets.add(socket);
      },
      data(socket, bytes) {
        const [method, target = ""] = bytes.toString("latin1").split(" ");
        asked.push(`${method} ${target}`);
        const way = target.replace(/\?.*/, "");
        socket.data.follows = way === "/events";
        scripts[way]?.(answeringOn(socket));
      },
      drain: (socket) => socket.data.pours?.(),
      close: (socket) => void sockets.delete(socket),
    },
  });
  const kill = (): void => {
    listener.stop(true);
    for (const socket of sockets) socket.terminate();
  };
  return {
    ...{ path, asked, kill },
    get open() {
      return sockets.size;
    },
    tell(action) {
      const line = `${JSON.stringify({ Action: action })}\n`;
      const piece = `${line.length.toString(16)}\r\n${line}\r\n`;
      for (const socket of sockets) if (socket.data.follows) socket.write(piece);
    },
    [Symbol.dispose]() {
      kill();
      rmSync(join(path, ".."), { recursive: true, force: true });
    },
  };
}

function answeringOn(socket: Socket<State>): Answering {
  return {
    write: (text) => void socket.write(text),
    end: () => void socket.end(),
    pour(piece, times = Number.POSITIVE_INFINITY) {
      let left = times;
      socket.data.pours = () => {
        while (left > 0 && socket.write(piece) === piece.length) left--;
      };
      socket.data.pours();
    },
  };
}
