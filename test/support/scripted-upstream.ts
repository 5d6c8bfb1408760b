/** A script into a server that keeps every byte it was sent. */
import type { Socket } from "bun";
import { latin1Bytes, latin1Text } from "./raw-client.ts";
import { readRequests, type StrictMessage } from "./strict-reader.ts";

export interface UpstreamConnection {
  /** All that came, one character an octet. */
  readonly received: string;
  /** How it stands with the client. */
  readonly over: boolean;
  send(bytes: string | Uint8Array): void;
  /** Ends after what was sent. */
  end(): void;
  /** Sends our end and goes on reading. */
  halfClose(): void;
  /** Breaks off: RST. */
  reset(): void;
}

/** What to do on a complete request, the `index`th of its connection. */
export type Script = (
  request: StrictMessage,
  connection: UpstreamConnection,
  index: number,
) => void;

export interface ScriptedUpstream {
  readonly port: number;
  readonly connections: readonly UpstreamConnection[];
  /** Every complete request, in order of arrival. */
  readonly requests: readonly StrictMessage[];
  /** What was no well-formed message. */
  readonly faults: readonly string[];
  /** Connections that began with TLS's ClientHello; they are ended. */
  readonly hellos: number;
  stop(): void;
}

class Connection implements UpstreamConnection {
  received = "";
  /** Behind the last complete request. */
  read = 0;
  requests = 0;
  over = false;
  #unsent: Uint8Array[] = [];
  #ending = false;

  constructor(readonly socket: Socket<Connection>) {}

  send(bytes: string | Uint8Array): void {
    if (this.over) return;
    this.#unsent.push(typeof bytes === "string" ? latin1Bytes(bytes) : bytes);
    this.flush();
  }

  end(): void {
    this.#ending = true;
    this.flush();
  }

  halfClose(): void {
    this.socket.shutdown();
  }

  reset(): void {
    if (!this.over) this.socket.terminate();
  }

  flush(): void {
    while (this.#unsent.length > 0) {
      const piece = this.#unsent[0]!;
      const taken = Math.max(0, this.socket.write(piece));
      if (taken < piece.length) {
        this.#unsent[0] = piece.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#ending) this.socket.end();
  }
}

export function scriptedUpstream(script: Script): ScriptedUpstream {
  const connections: Connection[] = [];
  const requests: StrictMessage[] = [];
  const faults: string[] = [];
  let hellos = 0;
  const listener = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        socket.setNoDelay(true);
        socket.data = new Connection(socket);
        connections.push(socket.data);
      },
      data(socket, bytes) {
        const connection = socket.data;
        if (connection.received === "" && bytes[0] === 0x16) {
          hellos++;
          connection.end();
          return;
        }
        connection.received += latin1Text(bytes);
        const reading = readRequests(connection.received.slice(connection.read));
        for (const message of reading.messages) {
          connection.read += message.raw.length;
          requests.push(message);
          script(message, connection, connection.requests++);
        }
        if (reading.fault !== undefined) faults.push(reading.fault);
      },
      drain(socket) {
        socket.data.flush();
      },
      end(socket) {
        // Nobody here has anything to say to a proxy that has left.
        socket.data.end();
      },
      close(socket) {
        socket.data.over = true;
      },
      error(socket) {
        socket.data.over = true;
      },
    },
  });
  return {
    port: listener.port,
    connections,
    requests,
    faults,
    get hellos() {
      return hellos;
    },
    stop() {
      listener.stop(true);
    },
  };
}

/** A complete answer to `request`, with its method and target as the body. */
export function echo(request: StrictMessage): string {
  const body = `${request.method} ${request.target}`;
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  return request.method === "HEAD" ? head : head + body;
}
