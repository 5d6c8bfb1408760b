/** A port into another port, byte for byte, with a record of how each connection began. */
import { connect, createServer, type Socket } from "node:net";

export interface Tap extends AsyncDisposable {
  readonly port: number;
  /** Connections so far, in their order: `hello` began with TLS, `other` with something else, `nothing` with nothing yet. */
  readonly began: readonly ("hello" | "other" | "nothing")[];
  /** Those that began so. */
  count(how: "hello" | "other" | "nothing"): number;
}

export async function tap(port: number): Promise<Tap> {
  const began: ("hello" | "other" | "nothing")[] = [];
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const index = began.push("nothing") - 1;
    const service = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.once("data", (bytes) => {
      began[index] = bytes[0] === 0x16 ? "hello" : "other";
    });
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on("error", () => to.resetAndDestroy());
      from.on("close", () => {
        open.delete(from);
        to.destroySoon();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    began,
    count: (how) => began.filter((seen) => seen === how).length,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
