/** A way to refuse HTTP/1.1 -> a server that speaks HTTP/2 alone, in plain text or inside TLS, and counts who asks. */
import { createServer as createH2, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createServer as createTls, type Server as TlsServer } from "node:tls";
import type { Leaf } from "../../src/tls/leaf.ts";

export type H2OnlyOptions = {
  /** Speaks TLS, with this certificate. */
  leaf?: Leaf;
  /** Deals with a client that has sent something else than the preface. Undefined: as Node's own server does. */
  refuse?: ((socket: Socket, first: Buffer) => void) | undefined;
  /** Whether the preface is understood, as it is unless said otherwise. */
  understands?: () => boolean;
  /** Inside TLS, refuses clients in the handshake that offer no `h2`. Else they get a connection, as with Go. */
  strict?: boolean;
};

export interface H2Only extends AsyncDisposable {
  readonly port: number;
  /** `method path body` of all requests. */
  readonly requests: string[];
  /** Connections in all, and those that began with HTTP/1.1 or failed in the handshake. */
  readonly connections: number;
  readonly refused: number;
  /** Ends every connection. */
  hangUp(): void;
}

/** Each request is answered with its method, path and body, and says so again in a trailer. */
export async function h2Only({
  leaf,
  refuse,
  strict,
  understands = () => true,
}: H2OnlyOptions = {}): Promise<H2Only> {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const kept = { connections: 0, refused: 0 };

  const h2 = createH2();
  h2.on("stream", (stream: ServerHttp2Stream, headers) => {
    let body = "";
    stream.on("error", () => {
      // The proxy may break off as it likes.
    });
    stream.on("data", (bytes) => {
      body += bytes;
    });
    stream.on("end", () => {
      const said = `${headers[":method"]} ${headers[":path"]} ${body}`;
      requests.push(said);
      stream.respond({ ":status": 200, trailer: "x-said" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-said": "so" }));
      stream.end(said);
    });
  });
  await listening(h2);

  const pass = (client: Socket, first: Buffer | undefined, port: number): void => {
    const service = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    open.add(service);
    if (first !== undefined) service.write(first);
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroySoon();
      });
    }
  };

  /** Plain text, or the inside of TLS. */
  const hear = (socket: Socket, first: Buffer): void => {
    if (first.subarray(0, 4).toString() === "PRI " && understands())
      pass(socket, first, portOf(h2));
    else {
      kept.refused++;
      if (refuse === undefined) pass(socket, first, portOf(h2));
      else refuse(socket, first);
    }
  };

  const inside = (socket: Socket): void => {
    socket.on("error", () => {
      // The proxy may break off as it likes.
    });
    socket.once("data", (first: Buffer) => hear(socket, first));
  };
  const identity = leaf && { key: leaf.key, cert: leaf.certificate };
  const servers: TlsServer[] = [];
  if (identity !== undefined) {
    servers.push(createTls({ ...identity, ALPNProtocols: ["h2"] }, inside));
    servers.push(createTls(identity, inside));
    servers[0]!.on("tlsClientError", () => kept.refused++);
    await Promise.all(servers.map(listening));
  }

  const door = createServer({ allowHalfOpen: true }, (client) => {
    kept.connections++;
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => {
      // The same.
    });
    client.on("end", () => client.end());
    client.once("data", (first: Buffer) => {
      client.removeAllListeners("end");
      if (identity === undefined) hear(client, first);
      else if (first[0] !== 0x16) client.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 70]));
      else {
        const offersH2 = first.includes(Buffer.from([2, 0x68, 0x32]));
        pass(client, first, portOf(servers[strict || offersH2 ? 0 : 1]!));
      }
    });
  });
  await listening(door);
  const hangUp = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: portOf(door),
    requests,
    get connections() {
      return kept.connections;
    },
    get refused() {
      return kept.refused;
    },
    hangUp,
    async [Symbol.asyncDispose]() {
      hangUp();
      for (const server of [door, h2, ...servers]) server.close();
    },
  };
}

type Listens = { listen(port: number, host: string, then: () => void): unknown };

function listening(server: Listens): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
}

function portOf(server: Http2Server | TlsServer | ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port;
}
