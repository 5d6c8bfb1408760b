/**
 * A server that speaks HTTP/2 alone, without TLS: answers what `echo-server.ts` answers, and holds every request to
 * RFC 9113's letter. As a program: prints its port; argument: the unix socket that it is asked by.
 */
import { createServer, type Socket } from "node:net";
import { FrameType, preface } from "../../src/wire/h2/frame.ts";
import { Message } from "../support/strict-reader.ts";
import { answerTo, type Seen } from "./echo-server.ts";
import { type Field, H2Client } from "./h2/client.ts";

type Stream = { fields: Field[]; body: string };

const pseudoHeaders = [":method", ":scheme", ":authority", ":path"];
const forbidden =
  /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade|content_length|transfer_encoding)$/;

/** Why a request is malformed: RFC 9113 section 8. */
export function malformed({ fields, body }: Stream): string | undefined {
  let regular = false;
  const seen = new Set<string>();
  for (const [name, value] of fields) {
    if (name.startsWith(":")) {
      if (regular || seen.has(name) || !pseudoHeaders.includes(name)) return `a wrong ${name}`;
      seen.add(name);
    } else regular = true;
    if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return `no name: ${JSON.stringify(name)}`;
    if (forbidden.test(name)) return `${name} in HTTP/2`;
    if (/[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/.test(value)) return `no value of ${name}`;
  }
  const of = (name: string): string[] =>
    fields.filter(([it]) => it === name).map(([, value]) => value);
  const [path = ""] = of(":path");
  if (!/^\/[\x21\x24-\x5b\x5d-\x7e%?]*$|^\*$/.test(path.replaceAll('"', " ")))
    return `no :path: ${path}`;
  const lengths = of("content-length");
  if (lengths.length > 1) return "two lengths";
  if (lengths.length === 1 && lengths[0] !== String(body.length)) return "a length that is wrong";
  return undefined;
}

export function startH2EchoServer(): Promise<{ port: number; take(): Seen[]; stop(): void }> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, (request) => seen.push(request));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const stop = (): void => {
        for (const socket of sockets) socket.destroy();
        server.close();
      };
      const { port } = server.address() as { port: number };
      resolve({ port, take: () => seen.splice(0), stop });
    });
  });
}

function serve(socket: Socket, saw: (request: Seen) => void): void {
  const streams = new Map<number, Stream>();
  // A client of HTTP/1.1 gets SETTINGS and the end.
  const peer = new H2Client(socket, { expects: preface });
  peer.frame(FrameType.settings, {});
  peer.onFrame = ({ type, flags, stream, payload, fields }) => {
    if (type !== FrameType.headers && type !== FrameType.data && type !== FrameType.continuation) {
      return;
    }
    const known = streams.get(stream) ?? { fields: [], body: "" };
    streams.set(stream, known);
    if (type === FrameType.data) {
      known.body += payload.toString("latin1");
      peer.grant(stream, payload.length);
    } else if (known.fields.length === 0) known.fields.push(...fields.map(fieldOf));
    if ((flags & 1) === 0) return;
    streams.delete(stream);
    const [method = "", path = ""] = [":method", ":path"].map(
      (name) => known.fields.find(([it]) => it === name)?.[1],
    );
    const line = `${method} ${path}`;
    saw({ bytes: line, requests: [line], fault: malformed(known) });
    const message = new Message({
      method,
      target: path,
      fields: known.fields,
      framing: "none",
      body: known.body,
      trailers: [],
      raw: "",
    });
    const answer = answerTo(message);
    const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    peer.headers(stream, [[":status", "200"]], { end: body === "" });
    if (body !== "") peer.data(stream, body, { end: true });
  };
}

function fieldOf(line: string): Field {
  const colon = line.indexOf(":", 1);
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

if (import.meta.main) {
  const server = await startH2EchoServer();
  Bun.serve({ unix: process.argv[2]!, fetch: () => Response.json(server.take()) });
  console.log(server.port);
}
