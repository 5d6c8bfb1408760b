/** A name and a way to it -> a browser's requests, as far as servers look: cookies, Origin, forms, WebSockets. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { connectRaw } from "./raw-end.ts";

/** How a browser comes to a name. */
export const ways = {
  "name.localhost by http": { scheme: "http", ending: ".localhost", proxied: false },
  "name.localhost by https": { scheme: "https", ending: ".localhost", proxied: false },
  "a bare name": { scheme: "http", ending: "", proxied: true },
  ".test by http": { scheme: "http", ending: ".test", proxied: true },
  ".test by https": { scheme: "https", ending: ".test", proxied: true },
} as const;

export type Way = keyof typeof ways;

export type Answer = { status: number; fields: Record<string, readonly string[]>; body: string };

export class Visitor implements AsyncDisposable {
  /** As the browser has it in its address bar. */
  readonly origin: string;
  readonly #host: string;
  readonly #proxyPort: number;
  readonly #way: (typeof ways)[Way];
  readonly #cookies = new Map<string, string>();
  readonly #open: Socket[] = [];
  #session: http2.ClientHttp2Session | undefined;
  /** The page that is shown. */
  #at: string | undefined;

  constructor(name: string, { way, port }: { way: Way; port: number }) {
    this.#way = ways[way];
    this.#proxyPort = port;
    this.#host = name + this.#way.ending;
    const { scheme, proxied } = this.#way;
    this.origin = `${scheme}://${this.#host}${proxied ? "" : `:${port}`}`;
  }

  get(path: string): Promise<Answer> {
    return this.#ask("GET", path, { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" });
  }

  /** Fills the form of a page at `path`, with its hidden fields, and sends it. */
  submit(path: string, page: Answer, filled: Record<string, string>): Promise<Answer> {
    const hidden = [...page.body.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      /name="([^"]*)"/.exec(tag)?.[1] ?? "",
      /value="([^"]*)"/.exec(tag)?.[1] ?? "",
    ]);
    const fields = [...hidden, ...Object.entries(filled)] as [string, string][];
    let type = "application/x-www-form-urlencoded";
    let body = new URLSearchParams(fields).toString();
    if (/<form\b[^>]*enctype="multipart\/form-data"/i.test(page.body)) {
      const boundary = `----${randomBytes(8).toString("hex")}`;
      type = `multipart/form-data; boundary=${boundary}`;
      const part = ([name, value]: [string, string]): string =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
      body = `${fields.map(part).join("")}--${boundary}--\r\n`;
    }
    const sent = {
      "Content-Type": type,
      "Content-Length": String(Buffer.byteLength(body)),
      Origin: this.origin,
      "Sec-Fetch-Site": "same-origin",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
    };
    return this.#ask("POST", path, sent, body);
  }

  /** Where an answer leads. @throws where it leads to another origin than the person is at. */
  led({ status, fields }: Answer): string {
    const [location] = fields.location ?? [];
    if (status < 300 || status > 399 || location === undefined)
      throw new Error(`no redirect: ${status}`);
    const { origin, pathname } = new URL(location, this.#at);
    if (origin !== new URL(this.origin).origin)
      throw new Error(`away from ${this.origin}: ${location}`);
    return pathname;
  }

  /** Opens a WebSocket as the page does that is shown. @returns the first bytes that come. */
  async webSocket(path: string, protocol?: string): Promise<{ status: number; said: Buffer }> {
    const key = randomBytes(16).toString("base64");
    const socket = await this.#socket("http/1.1", { tunnelled: this.#way.proxied });
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${new URL(this.origin).host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      `Origin: ${this.origin}`,
      ...this.#cookieLines(),
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ];
    const parts = pieces(socket);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    let all = Buffer.alloc(0);
    let end = -1;
    for await (const piece of parts) {
      all = Buffer.concat([all, piece]);
      end = all.indexOf("\r\n\r\n");
      if (end !== -1 && (all.length > end + 4 || !all.includes(" 101 "))) break;
    }
    const status = Number(all.toString("latin1", 9, 12));
    const accept = createHash("sha1")
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    if (status === 101 && !all.includes(accept)) throw new Error("the handshake is another's");
    return { status, said: all.subarray(end + 4) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.destroy();
    for (const socket of this.#open) socket.destroy();
  }

  async #ask(
    method: string,
    path: string,
    more: Record<string, string>,
    body = "",
  ): Promise<Answer> {
    const cookies = [...this.#cookieLines()].map((line) => line.slice("Cookie: ".length));
    const fields = {
      "User-Agent": "Mozilla/5.0",
      Accept: "text/html",
      ...(this.#at === undefined ? {} : { Referer: this.#at }),
      ...(cookies.length > 0 ? { Cookie: cookies[0]! } : {}),
      ...more,
    };
    const answer =
      this.#way.scheme === "https"
        ? await this.#askHttp2(method, path, fields, body)
        : await this.#askHttp1(method, path, fields, body);
    for (const line of answer.fields["set-cookie"] ?? []) this.#keepCookie(line);
    this.#at = this.origin + path;
    return answer;
  }

  async #askHttp1(
    method: string,
    path: string,
    fields: Record<string, string>,
    body: string,
  ): Promise<Answer> {
    using end = await connectRaw(this.#proxyPort);
    const target = this.#way.proxied ? this.origin + path : path;
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const host = new URL(this.origin).host;
    end.send(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}\r\n${body}`);
    const message = await end.message();
    const names = ["location", "set-cookie", "content-encoding"];
    const got = Object.fromEntries(names.map((name) => [name, message.all(name)]));
    const read = Buffer.from(message.body, "latin1");
    return { status: message.status, fields: got, body: textOf(read, got) };
  }

  async #askHttp2(
    method: string,
    path: string,
    fields: Record<string, string>,
    body: string,
  ): Promise<Answer> {
    if (this.#session === undefined) {
      const socket = await this.#socket("h2", { tunnelled: this.#way.proxied });
      this.#session = http2.connect(this.origin, { createConnection: () => socket });
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const stream = this.#session.request({
      ":method": method,
      ":path": path,
      ":authority": new URL(this.origin).host,
      ":scheme": "https",
      ...fields,
    });
    const got: Record<string, readonly string[]> = {};
    let status = 0;
    const read: Buffer[] = [];
    stream.on("response", (head) => {
      status = head[":status"]!;
      for (const [name, value] of Object.entries(head)) got[name] = [value].flat().map(String);
    });
    stream.on("data", (piece: Buffer) => read.push(piece));
    stream.on("end", () => {
      resolve({ status, fields: got, body: textOf(Buffer.concat(read), got) });
    });
    stream.on("error", reject);
    stream.end(body);
    return promise;
  }

  /** A connection whose other end speaks HTTP for the origin, inside whatever a browser puts around it. */
  async #socket(
    protocol: "h2" | "http/1.1",
    { tunnelled }: { tunnelled: boolean },
  ): Promise<Socket> {
    const { scheme } = this.#way;
    const socket = connectTcp(this.#proxyPort, "127.0.0.1");
    socket.on("error", () => {});
    this.#open.push(socket);
    if (tunnelled) await this.#tunnel(socket, scheme === "https" ? 443 : 80);
    if (scheme === "http") return socket;
    const secured = connectTls({
      socket,
      servername: this.#host,
      rejectUnauthorized: false,
      ALPNProtocols: [protocol],
    });
    secured.on("error", () => {});
    await once(secured, "secureConnect");
    return secured;
  }

  async #tunnel(socket: Socket, port: number): Promise<void> {
    const host = `${this.#host}:${port}`;
    socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [said] = await once(socket, "data");
    if (!String(said).startsWith("HTTP/1.1 200 ")) throw new Error(`no tunnel: ${said}`);
  }

  #cookieLines(): string[] {
    if (this.#cookies.size === 0) return [];
    const pairs = [...this.#cookies].map(([name, value]) => `${name}=${value}`);
    return [`Cookie: ${pairs.join("; ")}`];
  }

  #keepCookie(line: string): void {
    const [pair = "", ...attributes] = line.split(/;\s*/);
    const at = pair.indexOf("=");
    for (const attribute of attributes) {
      const [name = "", value = ""] = attribute.toLowerCase().split("=");
      if (name === "domain" && !`.${this.#host}`.endsWith(`.${value.replace(/^\./, "")}`)) return;
      if (name === "secure" && this.#way.scheme !== "https") return;
    }
    this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

/** A body's text. Bun compresses its own pages also for who has not asked for it. */
function textOf(body: Buffer, fields: Answer["fields"]): string {
  const [coding] = fields["content-encoding"] ?? [];
  return (coding === "gzip" ? gunzipSync(body) : body).toString();
}

/** What a socket says, from now on. */
async function* pieces(socket: Socket): AsyncGenerator<Buffer> {
  for await (const piece of socket) yield piece as Buffer;
}
