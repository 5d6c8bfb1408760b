/**
 * The server behind every proxy: reads by RFC 9112's letter, answers 400 to all that is not well-formed, and tells
 * what came on each connection. As a program: prints its port; argument: the unix socket that it is asked by.
 */
import { type Message, Malformed, readRequests } from "../support/strict-reader.ts";
import { RawServer } from "../support/raw-server.ts";
import type { RawEnd } from "../support/raw-end.ts";

/** Milliseconds that an idle connection is kept: longer than any case of a suite waits. */
const idleFor = 60_000;
const goOn = "HTTP/1.1 100 Continue\r\n\r\n";
const refusal = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbad";

export type Seen = {
  /** All that came on this connection, one character an octet. */
  bytes: string;
  /** Request lines of complete messages. */
  requests: string[];
  /** Why the rest is not well-formed. */
  fault: string | undefined;
};

/** `/echo` gets its own fields, `/cookie` its cookies, a POST its body: what Http11Probe and h1spec ask of a server. */
export function answerTo(request: Message): string {
  const { method, target, body } = request;
  const [path] = target.replace(/^http:\/\/[^/]*/, "").split("?");
  const text =
    path === "/echo"
      ? request.fields.map(([name, value]) => `${name}: ${value}\n`).join("")
      : path === "/cookie"
        ? cookiesOf(request)
        : body !== "" || method === "POST"
          ? body
          : path!.startsWith("/say/")
            ? path!.slice(5)
            : "OK";
  const date = new Date().toUTCString();
  const head = `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n`;
  return method === "HEAD" ? head : head + text;
}

function cookiesOf(request: Message): string {
  return request
    .all("cookie")
    .flatMap((line) => line.split(";"))
    .map((pair) => pair.trimStart())
    .filter((pair) => pair.indexOf("=") > 0)
    .map((pair) => `${pair}\n`)
    .join("");
}

export function startEchoServer(): { port: number; take(): Seen[]; stop(): void } {
  const server = new RawServer();
  const ends: RawEnd[] = [];
  const serve = async (end: RawEnd): Promise<void> => {
    ends.push(end);
    try {
      for (let at = 0; ;) {
        if (!(await hasHead(end, at))) break;
        if (/^expect:[ \t]*100-continue/im.test(headAt(end.text, at))) end.send(goOn);
        const request = await end.next();
        if (request === undefined) break;
        at += request.raw.length;
        end.send(answerTo(request));
      }
      end.end();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      end.send(refusal).end();
    }
  };
  const accepting = async (): Promise<void> => {
    for (;;) void serve(await server.next()).catch((fault: unknown) => console.error(fault));
  };
  void accepting();
  return {
    port: server.port,
    take: () => ends.splice(0).map(({ text }) => seenIn(text)),
    stop: () => server.stop(),
  };
}

/** What a server that runs as a program has seen since it was last asked. */
export async function takeSeen(control: string): Promise<Seen[]> {
  const answer = await fetch("http://control/", { unix: control });
  return (await answer.json()) as Seen[];
}

/** Waits for the end of a head that begins at `at`, or for the end of a connection. @returns which. */
async function hasHead(end: RawEnd, at: number): Promise<boolean> {
  const whole = (): boolean => end.text.indexOf("\r\n\r\n", at) !== -1;
  while (!whole() && !end.over) {
    const { total } = end;
    await end.counted(total + 1, idleFor).catch(() => end.end());
    const { fault } = readRequests(end.text.slice(at));
    if (fault !== undefined) throw new Malformed(fault);
  }
  return whole();
}

function headAt(text: string, at: number): string {
  return text.slice(at, text.indexOf("\r\n\r\n", at));
}

function seenIn(bytes: string): Seen {
  const { messages, fault } = readRequests(bytes);
  return { bytes, requests: messages.map(({ start }) => start), fault };
}

if (import.meta.main) {
  const server = startEchoServer();
  Bun.serve({ unix: process.argv[2]!, fetch: () => Response.json(server.take()) });
  console.log(server.port);
}
