/** A kind of server into a real one that listens with TLS, with a certificate that nobody signed for us. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgramName } from "./debian.ts";
import { running } from "./running.ts";
import { throwawayCertificateAuthority } from "./throwaway-certificate-authority.ts";

export type TlsServerKind = keyof typeof commands;

export interface TlsServer extends AsyncDisposable {
  port: number;
  pid: number;
  /** What it has printed of late. */
  output(): string;
}

/** Answers with what it was asked: a line of JSON. A WebSocket's bytes come back as they are. */
const node = (server: string): string => `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ${server} as createServer } from "node:${server === "createServer" ? "https" : "http2"}";
const options = { key: readFileSync("key.pem"), cert: readFileSync("certificate.pem"), allowHTTP1: true };
const server = createServer(options, (request, response) => {
  const hash = createHash("sha1");
  let length = 0;
  request.on("data", (bytes) => { hash.update(bytes); length += bytes.length; });
  request.on("end", () => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.headers,
      serverName: request.socket.servername,
      length,
      hash: hash.digest("hex"),
    }));
  });
});
server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => {});
  const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: " + accept + "\\r\\nX-Origin: " + request.headers.origin + "\\r\\n\\r\\n");
  socket.write(head);
  socket.pipe(socket);
});
server.on("tlsClientError", (error) => console.log("refused " + error.code));
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;

const bun = `
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  tls: { key: Bun.file("key.pem"), cert: Bun.file("certificate.pem") },
  async fetch(request, server) {
    if (request.headers.has("upgrade") && server.upgrade(request)) return undefined;
    const body = await request.arrayBuffer();
    return Response.json({
      method: request.method,
      url: new URL(request.url).pathname,
      headers: Object.fromEntries(request.headers),
      length: body.byteLength,
      hash: new Bun.CryptoHasher("sha1").update(body).digest("hex"),
    });
  },
  websocket: { message(socket, message) { socket.send(message); } },
});
console.log("port " + server.port);
`;

const python = `
import hashlib, http.server, json, ssl

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = json.dumps({
            "method": self.command, "url": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
            "length": len(body), "hash": hashlib.sha1(body).hexdigest(),
        }).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    do_POST = do_GET

http.server.ThreadingHTTPServer.request_queue_size = 128
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_address[1], flush=True)
server.serve_forever()
`;

const commands = {
  node: { command: ["node", "server.mjs"], file: "server.mjs", text: node("createServer") },
  "node with h2": {
    command: ["node", "server.mjs"],
    file: "server.mjs",
    text: node("createSecureServer"),
  },
  bun: { command: [process.execPath, "server.ts"], file: "server.ts", text: bun },
  python: { command: ["python3", "server.py"], file: "server.py", text: python },
  openssl: {
    command: [
      "sh",
      "-c",
      "exec openssl s_server -accept 127.0.0.1:0 -cert certificate.pem -key key.pem -www",
    ],
    file: "unused",
    text: "",
  },
} satisfies Record<string, { command: string[]; file: string; text: string }>;

export const neededByTls: Record<TlsServerKind, readonly ProgramName[]> = {
  node: ["node"],
  "node with h2": ["node"],
  bun: [],
  python: ["python3"],
  openssl: ["openssl"],
};

export const tlsServerKinds = Object.keys(commands) as TlsServerKind[];

/** `name`: without one it has none, and no proxy finds it by itself. */
export async function startTlsServer(kind: TlsServerKind, name?: string): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), "localhostess-tls-server-"));
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor("other.localhost");
  const { command, file, text } = commands[kind];
  await writeFile(join(folder, "key.pem"), leaf.key);
  await writeFile(join(folder, "certificate.pem"), leaf.certificate);
  await writeFile(join(folder, file), text);
  const ready = kind === "openssl" ? /^ACCEPT 127\.0\.0\.1:(\d+)$/m : /^port (\d+)$/m;
  const server = await running(command, { env: { NAME: name }, cwd: folder, ready });
  return {
    port: Number(server.said[1]),
    pid: server.pid,
    output: () => server.output(),
    async [Symbol.asyncDispose]() {
      await server.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
