/** A port into another port, byte for byte, with a record of how each connection began. */
import { connect, createServer, type Socket } from "node:net";

type Beginning = "hello" | "other" | "nothing";

export type TapOptions = {
  plain?: (socket: Socket, first: Buffer) => void;
  hello?: (go: () => void) => void;
};

export interface Tap extends AsyncDisposable {
  readonly port: number;
  /** Connections that began with TLS, with something else, or with nothing yet. */
  count(how: Beginning): number;
}

/**
 * `plain` answers what does not begin with TLS in place of the server behind; it is called with the first piece.
 * `hello` lets what does begin with TLS go on when it likes.
 */
export async function tap(
  target: { port: number },
  { plain, hello = (go) => go() }: TapOptions = {},
): Promise<Tap> {
  const began: Beginning[] = [];
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const index = began.push("nothing") - 1;
    open.add(client);
    client.on("close", () => open.delete(client));
    const behind = (first: Buffer): void => {
      const service = connect({ port: target.port, host: "127.0.0.1", allowHalfOpen: true });
      open.add(service);
      service.write(first);
      for (const [from, to] of [
        [client, service],
        [service, client],
      ] as const) {
        from.pipe(to);
        from.on("error", () => to.resetAndDestroy());
        from.on("close", () => {
          open.delete(from);
          to.destroySoon();
        });
      }
    };
    client.on("error", () => {
      // The proxy may break off as it likes.
    });
    // A connection on which nothing is said is closed like any other.
    client.on("end", () => client.end());
    client.once("data", (first: Buffer) => {
      began[index] = first[0] === 0x16 ? "hello" : "other";
      if (plain !== undefined && first[0] !== 0x16) plain(client, first);
      else {
        client.removeAllListeners("end");
        if (first[0] === 0x16) hello(() => behind(first));
        else behind(first);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    count: (how) => began.filter((seen) => seen === how).length,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
