/**
 * A daemon's ports -> clients that ask without a pause while it is replaced, one of each kind, and what became of
 * each request.
 */
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectTls } from "node:tls";
import { ask } from "../../src/control/found/client.ts";
import { connectRaw, RawEnd } from "./raw-end.ts";
import { connectSecure } from "./secure-end.ts";

export type LoadOptions = {
  port: number;
  /** PEM of the daemon's authority. */
  ca: string;
  /** A name without its ending, of a server that answers 200. */
  name: string;
  /** URL of the daemon's API, and its socket. */
  api: string;
  socket: string;
  credential: string;
};

export const kinds = [
  "new",
  "new by ::1",
  "kept",
  "TLS",
  "TLS, kept",
  "HTTP/2",
  "API",
  "API, kept",
  "socket",
] as const;
export type Kind = (typeof kinds)[number];

export type Count = {
  answered: number;
  /** Connections that could not be had. */
  refused: number;
  /** Requests whose connection broke off. */
  broken: number;
  /** Answers that were none: another status, a protocol's error. */
  wrong: number;
  /** Milliseconds from the request, with its connection where that is new, to its answer. */
  longest: number;
  /** The first failures in words. */
  why: string[];
};

export type Load = { counts: Record<Kind, Count>; stop(): Promise<void> };

/** Asks once on a connection of any age. @returns false where the connection is used up. */
type Asker = () => Promise<boolean>;

export function load(
  options: LoadOptions,
  { wanted = kinds, pause = 0 }: { wanted?: readonly Kind[]; pause?: number } = {},
): Load {
  let isOver = false;
  const counts = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      { answered: 0, refused: 0, broken: 0, wrong: 0, longest: 0, why: [] },
    ]),
  ) as unknown as Record<Kind, Count>;
  const running = wanted.map(async (kind) => {
    const count = counts[kind];
    while (!isOver) {
      let asker: (Asker & Partial<Disposable>) | undefined;
      const began = performance.now();
      try {
        asker = await askers[kind](options);
      } catch (error) {
        count.refused += 1;
        count.why.push(`${(error as { code?: string }).code ?? ""} ${(error as Error).message}`);
        continue;
      }
      // `pause`: milliseconds after each answer, where many kinds of load share the machine.
      for (let from = began, again = true; again && !isOver; from = performance.now()) {
        try {
          again = await asker();
          count.answered += 1;
          count.longest = Math.max(count.longest, performance.now() - from);
          if (pause > 0) await Bun.sleep(pause);
        } catch (error) {
          if (error instanceof Wrong) count.wrong += 1;
          else count.broken += 1;
          count.why.push(String(error));
          break;
        }
      }
      asker[Symbol.dispose]?.();
    }
  });
  return {
    counts,
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  };
}

/** Only what is not as it should be; nothing: all is well. */
export function failures({ counts }: Load): Record<string, string> {
  return Object.fromEntries(
    Object.entries(counts)
      .filter(([, { refused, broken, wrong }]) => refused + broken + wrong > 0)
      .map(([kind, its]) => [
        kind,
        `${its.refused} refused, ${its.broken} broken, ${its.wrong} wrong: ${its.why.slice(0, 3).join("; ")}`,
      ]),
  );
}

class Wrong extends Error {}

function raw(
  end: RawEnd,
  { host, more = "", keeps }: { host: string; more?: string; keeps: boolean },
) {
  const close = keeps ? "" : "Connection: close\r\n";
  const asker: Asker = async () => {
    end.send(`GET /v1/handshake HTTP/1.1\r\nHost: ${host}\r\n${more}${close}\r\n`);
    const answer = await end.next();
    if (answer === undefined) throw new Error("the connection ended without an answer");
    if (answer.status !== 200) throw new Wrong(`${answer.status} ${answer.body.slice(0, 100)}`);
    return answer.one("connection") !== "close";
  };
  return Object.assign(asker, { [Symbol.dispose]: () => end[Symbol.dispose]() });
}

type Opener = (options: LoadOptions) => Promise<Asker & Partial<Disposable>>;

const plain =
  (address: string, keeps: boolean): Opener =>
  async ({ port, name }) =>
    raw(await connectRaw(port, { address }), { host: `${name}.localhost`, keeps });

const secure =
  (keeps: boolean): Opener =>
  async ({ port, name, ca }) => {
    const host = `${name}.localhost`;
    const how = {
      protocol: "http/1.1",
      make: (socket) => new RawEnd(socket),
    } as const satisfies Parameters<typeof connectSecure>[2];
    return raw(await connectSecure(port, { ca, serverName: host }, how), { host, keeps });
  };

const api =
  (keeps: boolean): Opener =>
  async ({ api: url, credential }) => {
    const { host, port } = new URL(url);
    const more = `Authorization: Bearer ${credential}\r\n`;
    return raw(await connectRaw(Number(port)), { host, more, keeps });
  };

/** Asks four times at once; the session is used until its GOAWAY. */
const http2: Opener = async ({ port, name, ca }) => {
  const host = `${name}.localhost`;
  const opened = Promise.withResolvers<void>();
  let usedUp = false;
  const session: ClientHttp2Session = connectHttp2(`https://${host}:${port}`, {
    createConnection: () =>
      connectTls({ host: "127.0.0.1", port, ca, servername: host, ALPNProtocols: ["h2"] }),
  });
  session.on("connect", () => opened.resolve());
  session.on("goaway", () => {
    usedUp = true;
  });
  session.on("close", () => {
    usedUp = true;
    opened.reject(new Error("the session was closed before it was open"));
  });
  session.on("error", (error) => opened.reject(error));
  await opened.promise;
  const asker: Asker = async () => {
    // Told so since the last answer.
    if (usedUp) return false;
    await Promise.all(Array.from({ length: 4 }, () => stream(session)));
    return !usedUp;
  };
  return Object.assign(asker, { [Symbol.dispose]: () => session.destroy() });
};

function stream(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = session.request({ ":path": "/" });
    let status: unknown;
    request.on("response", (fields) => {
      status = fields[":status"];
    });
    request.on("data", () => {});
    request.on("error", reject);
    request.on("close", () => {
      if (status === 200) resolve();
      else if (status === undefined) reject(new Error("the stream closed without an answer"));
      else reject(new Wrong(`status ${String(status)}`));
    });
    request.end();
  });
}

const socket: Opener = async ({ socket: path }) => {
  return async () => {
    const asked = await ask(path, "Ping", { deadline: 20_000 });
    if (asked.kind === "failed") throw new Error(asked.why);
    return false;
  };
};

const askers: Record<Kind, Opener> = {
  new: plain("127.0.0.1", false),
  "new by ::1": plain("::1", false),
  kept: plain("127.0.0.1", true),
  TLS: secure(false),
  "TLS, kept": secure(true),
  "HTTP/2": http2,
  API: api(false),
  "API, kept": api(true),
  socket,
};
