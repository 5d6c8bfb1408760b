/** A length -> a port or a path whose queue has so much room, and accepts one connection when a test says so. Linux. */
import { libc } from "../../src/system/libc.ts";
import { RawEnd, rawEvents } from "./raw-end.ts";
import { turn } from "./turn.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const signatures = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
} as const;

export interface SmallBacklog extends Disposable {
  readonly port: number;
  /** The connection that has waited longest; undefined: none waits. */
  accept(): Promise<RawEnd | undefined>;
}

/** Answers one connection at a time, to its end, and then the next. @returns what ends that. */
export function serveInTurn(
  server: SmallBacklog,
  answer: (head: string) => string | Promise<string>,
): () => void {
  let over = false;
  void (async () => {
    while (!over) {
      const end = await server.accept();
      if (end === undefined) {
        await turn();
        continue;
      }
      while (!end.over && !end.text.includes("\r\n\r\n")) await turn();
      if (end.text !== "") end.send(await answer(end.text));
      end.finish();
    }
  })();
  return () => {
    over = true;
  };
}

/** `backlog`: as listen(2) takes it; one more connection than that has room. `path`: a unix socket. */
export function smallBacklog(backlog: number, { path }: { path?: string } = {}): SmallBacklog {
  const calls = libc(signatures)!;
  const family = path === undefined ? AF_INET : AF_UNIX;
  const listener = calls.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const place =
    path === undefined
      ? new Uint8Array([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
      : new Uint8Array([AF_UNIX, 0, ...Buffer.from(path), 0]);
  const length = new Uint32Array([place.length]);
  if (calls.bind(listener, place, place.length) !== 0 || calls.listen(listener, backlog) !== 0) {
    throw new Error("no port can be listened on");
  }
  calls.getsockname(listener, place, length);
  const accepted: RawEnd[] = [];
  return {
    port: (place[2]! << 8) | place[3]!,
    async accept() {
      const fd = calls.accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return undefined;
      const { promise, resolve } = Promise.withResolvers<RawEnd>();
      const open = (socket: import("bun").Socket<RawEnd>): void => {
        socket.data = new RawEnd(socket);
        resolve(socket.data);
      };
      await Bun.connect<RawEnd>({ fd, socket: { ...rawEvents, open } } as never);
      const end = await promise;
      accepted.push(end);
      return end;
    },
    [Symbol.dispose]() {
      for (const end of accepted) end.reset();
      calls.close(listener);
    },
  };
}
