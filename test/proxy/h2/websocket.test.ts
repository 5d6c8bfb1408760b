/** WebSockets over HTTP/2, RFC 8441: the handshake, bytes both ways, and each way in which one ends. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType } from "../../../src/wire/h2/frame.ts";
import { eventually } from "../../support/eventually.ts";
import { H2Frames } from "../../support/h2-frames.ts";
import type { RawEnd } from "../../support/raw-end.ts";
import { ok, RawServer } from "../../support/raw-server.ts";
import { turns } from "../../support/turn.ts";

const { data, headers, resetStream, settings, windowUpdate } = FrameType;
const endStream = Flag.endStream;

const handshake: [string, string][] = [
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  [":scheme", "https"],
  [":authority", "api.localhost"],
  [":path", "/ws"],
  ["origin", "https://api.localhost"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-protocol", "vite-hmr"],
];

interface Scene extends Disposable {
  client: H2Frames;
  api: RawServer;
}

function scene(): Scene {
  const api = new RawServer();
  const client = new H2Frames({ api }).greet();
  return {
    client,
    api,
    [Symbol.dispose]() {
      client.abort();
      api[Symbol.dispose]();
      expect(client.shared.faults).toEqual([]);
    },
  };
}

function ask(client: H2Frames, { stream = 1, flags = 0, fields = handshake } = {}): void {
  client.frame(headers, { stream, flags: Flag.endHeaders | flags, payload: client.block(fields) });
}

function switched(key: string, more = ""): string {
  const proof = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\n${more}`;
  return `HTTP/1.1 101 Go\r\n${fields}Sec-WebSocket-Accept: ${proof.digest("base64")}\r\n\r\n`;
}

/** The service has switched protocols on stream 1. */
async function opened({ client, api }: Scene, more = ""): Promise<RawEnd> {
  ask(client);
  const upstream = await api.next();
  const request = await upstream.message();
  upstream.send(switched(request.one("sec-websocket-key")!, more));
  await client.next(headers, 1);
  return upstream;
}

const send = (client: H2Frames, bytes: Uint8Array | string, flags = 0): void =>
  client.frame(data, { flags, payload: Uint8Array.from(Buffer.from(bytes)) });

const ended = (client: H2Frames, stream = 1): boolean =>
  client.heard.some(
    (its) => its.type === data && its.stream === stream && (its.flags & endStream) !== 0,
  );

const text = (client: H2Frames): string => client.bodyOf(1).toString("latin1");

async function heard(client: H2Frames, wanted: string): Promise<void> {
  await eventually(JSON.stringify(wanted), () => text(client) === wanted);
}

test("SETTINGS say that we take it", () => {
  const { client, api } = scene();
  const [first] = client.heard;
  const said = Buffer.from(first!.payload).toString("hex").match(/.{12}/g);
  expect([first!.type, said]).toEqual([settings, expect.arrayContaining(["000800000001"])]);
  api.stop();
  client.abort();
});

describe("the handshake", () => {
  test("is an upgrade of HTTP/1.1 for the service, and its 101 is 200 for the client", async () => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    const upstream = await api.next();
    const request = await upstream.message();
    expect(request.raw).toStartWith("GET /ws HTTP/1.1\r\nHost: api.localhost\r\n");
    expect(request.one("upgrade")).toBe("websocket");
    expect(request.one("connection")?.toLowerCase()).toBe("upgrade");
    expect(request.one("origin")).toBe("https://api.localhost");
    expect(request.one("x-forwarded-proto")).toBe("https");
    const key = request.one("sec-websocket-key")!;
    expect(Buffer.from(key, "base64")).toHaveLength(16);
    const more = "Sec-WebSocket-Protocol: vite-hmr\r\nSet-Cookie: a=1\r\n";
    upstream.send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${switched(key, more)}\x81\x02hi`);
    await heard(client, "\x81\x02hi");
    const heads = client.heard.filter(({ type }) => type === headers);
    expect(heads.map(({ lines }) => lines)).toEqual([
      [":status: 103", "link: </a>"],
      [":status: 200", "sec-websocket-protocol: vite-hmr", "set-cookie: a=1"],
    ]);
    expect(heads.some(({ flags }) => (flags & endStream) !== 0)).toBe(false);
  });

  test("has a key of its own each time, and never the client's", async () => {
    using its = scene();
    const { client, api } = its;
    const keys = new Set<string>();
    for (const stream of [1, 3, 5]) {
      ask(client, {
        stream,
        fields: [...handshake, ["sec-websocket-key", "bWluZSBhbmQgbm9uZSBlbHNl"]],
      });
      const request = await (await api.next()).message();
      keys.add(request.one("sec-websocket-key")!);
    }
    expect(keys.size).toBe(3);
    expect(keys.has("bWluZSBhbmQgbm9uZSBlbHNl")).toBe(false);
  });

  test.each([
    ["another's proof", (key: string) => switched(`${key}x`)],
    ["no proof", () => "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"],
    ["another protocol", (key: string) => switched(key).replace("websocket", "h2c")],
  ])("with %s is 502", async (_, answer) => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    const upstream = await api.next();
    upstream.send(answer((await upstream.message()).one("sec-websocket-key")!));
    expect((await client.next(headers, 1)).lines[0]).toBe(":status: 502");
  });

  test.each([403, 404, 426, 302, 500])("refused with %d is that answer", async (status) => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    const upstream = await api.next();
    await upstream.message();
    upstream.send(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\nX-Why: so\r\n\r\nno`);
    await client.finished(1);
    const head = await client.next(headers, 1);
    expect(head.lines).toEqual([`:status: ${status}`, "content-length: 2", "x-why: so"]);
    expect(text(client)).toBe("no");
  });

  test("answered with 200 is 502: the client would take the page for WebSocket frames", async () => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    const upstream = await api.next();
    await upstream.message();
    upstream.send(ok("<html>"));
    await client.finished(1);
    expect((await client.next(headers, 1)).lines[0]).toBe(":status: 502");
  });

  test("for an unknown name is 404, for another protocol 501, for another certificate's name 421", async () => {
    const { client, api } = scene();
    const but = (name: string, value: string): [string, string][] =>
      handshake.map(([key, old]) => [key, key === name ? value : old]);
    ask(client, { stream: 1, fields: but(":authority", "x.nobody.api.localhost") });
    ask(client, { stream: 3, fields: but(":protocol", "connect-udp") });
    ask(client, { stream: 5, fields: but(":authority", "localhost") });
    for (const [stream, status] of [
      [1, 421],
      [3, 501],
      [5, 421],
    ] as const) {
      expect((await client.next(headers, stream)).lines[0]).toBe(`:status: ${status}`);
    }
    client.abort();
    api.stop();
  });

  test("of another site's page is refused before its service hears of it", async () => {
    const { client, api } = scene();
    const foreign = handshake.map(([name, value]): [string, string] => [
      name,
      name === "origin" ? "https://evil.example" : value,
    ]);
    ask(client, { fields: [...foreign, ["sec-fetch-site", "cross-site"]] });
    expect((await client.next(headers, 1)).lines[0]).toBe(":status: 403");
    expect(api.accepted).toHaveLength(0);
    client.abort();
    api.stop();
  });

  test("refused, its early bytes are no request, and the next stream is answered for itself", async () => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    send(client, "GET /smuggled HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    const upstream = await api.next();
    await upstream.message();
    send(client, "GET /smuggled HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    upstream.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
    await client.finished(1);
    send(client, "GET /smuggled HTTP/1.1\r\nHost: api.localhost\r\n\r\n", endStream);
    client.request(3, { path: "/next" });
    const next = await upstream.message();
    expect(next.target).toBe("/next");
    upstream.send(ok("next"));
    await client.finished(3);
    expect(api.accepted).toHaveLength(1);
  });
});

describe("bytes", () => {
  test("of every value go both ways as they are, in frames of every length", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    const octets = Buffer.from(Uint8Array.from({ length: 256 }, (_, octet) => octet));
    for (const length of [1, 2, 125, 126, 127, 256]) send(client, octets.subarray(0, length));
    const all = Buffer.concat([1, 2, 125, 126, 127, 256].map((its) => octets.subarray(0, its)));
    expect(await upstream.bytes(all.length)).toEqual(all);
    upstream.send(octets);
    await eventually("they are back", () => client.bodyOf(1).equals(octets));
  });

  test("that come before the 101 reach the service behind it, in order, with the client's end", async () => {
    using its = scene();
    const { client, api } = its;
    ask(client);
    send(client, "one,");
    const upstream = await api.next();
    const key = (await upstream.message()).one("sec-websocket-key")!;
    send(client, "two", endStream);
    await turns(3);
    expect(upstream.received.length).toBe(0);
    upstream.send(switched(key));
    expect(await upstream.rest()).toBe("one,two");
    upstream.send("bye");
    upstream.finish();
    await eventually("the end", () => ended(client));
    expect(text(client)).toBe("bye");
    await eventually("no stream is left", () => client.session.streams === 0);
  });

  test("of 1 MB wait for the client's window, and hold up the service", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    const large = Buffer.alloc(8 << 20, "x");
    upstream.send(large);
    await eventually("the window is used up", () => client.bodyOf(1).length === 65_535);
    await turns(20);
    expect(upstream.unsent).toBeGreaterThan(0);
    client.frame(windowUpdate, { stream: 0, payload: [0, 0x80, 0, 0] });
    client.frame(windowUpdate, { stream: 1, payload: [0, 0x80, 0, 0] });
    await eventually("all is there", () => client.bodyOf(1).length === large.length);
  });

  test("for a service that does not read use up the window, and no more", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    upstream.pause();
    let given = 0;
    let sent = 0;
    const room = (): number => 262_144 + given - sent;
    const count = (): void => {
      given = 0;
      for (const { type, stream, payload } of client.heard) {
        if (type === windowUpdate && stream === 1) given += Buffer.from(payload).readUInt32BE();
      }
    };
    for (let idle = 0; idle < 20; count()) {
      if (room() < 16_384) {
        idle++;
        await turns(2);
        continue;
      }
      idle = 0;
      send(client, new Uint8Array(16_384));
      sent += 16_384;
    }
    expect(sent).toBeLessThan(24 << 20);
    upstream.resume();
    await upstream.counted(sent);
    await eventually("the window is open again", () => {
      count();
      return room() >= 131_072;
    });
  });
});

describe("the end", () => {
  test("of the service's side is END_STREAM, and the client may go on", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    upstream.send("last").finish();
    await eventually("END_STREAM", () => ended(client));
    expect(text(client)).toBe("last");
    send(client, "more");
    expect(await upstream.until("more")).toBe("more");
    send(client, "", endStream);
    expect(await upstream.rest()).toBe("");
    await eventually("no stream is left", () => client.session.streams === 0);
    expect(client.heard.some(({ type }) => type === resetStream)).toBe(false);
  });

  test("of the client's side is the service's end of input, and the service may go on", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    send(client, "last", endStream);
    expect(await upstream.rest()).toBe("last");
    upstream.send("more").finish();
    await eventually("END_STREAM", () => ended(client));
    expect(text(client)).toBe("more");
    await eventually("no stream is left", () => client.session.streams === 0);
    await upstream.gone();
  });

  test("of a service that dies is RST_STREAM with CANCEL", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    upstream.reset();
    expect(await client.resetCode(1)).toBe(ErrorCode.cancel);
    expect(client.session.streams).toBe(0);
  });

  test("of a service that dies behind its own end is the same", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    upstream.finish();
    await eventually("END_STREAM", () => ended(client));
    upstream.reset();
    await eventually("it is over", () => client.session.streams === 0);
    send(client, "late");
    client.request(3, { authority: "x.y.localhost" });
    await client.finished(3);
  });

  test("by the client's RST_STREAM resets the service's connection", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    client.frame(resetStream, { payload: [0, 0, 0, ErrorCode.cancel] });
    await upstream.gone();
    expect(upstream.broken).toBe(true);
    expect(client.session.streams).toBe(0);
  });

  test("of the session resets every one of them", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    client.handler.closed(new Error("reset"));
    await upstream.gone();
  });

  test("by HEADERS is a stream error: nothing but DATA comes by a tunnel", async () => {
    using its = scene();
    const { client } = its;
    const upstream = await opened(its);
    const payload = client.block([["x", "y"]]);
    client.frame(headers, { flags: Flag.endHeaders | endStream, payload });
    expect(await client.resetCode(1)).toBe(ErrorCode.protocolError);
    await upstream.gone();
  });
});

test("while one is open the session is not idle, and its other streams are served", async () => {
  using its = scene();
  const { client, api } = its;
  const upstream = await opened(its);
  client.shared.now = 1_000;
  client.session.tick();
  client.shared.now = 2_000;
  client.session.tick();
  client.request(3, { path: "/other" });
  const other = await api.next();
  expect((await other.message()).target).toBe("/other");
  other.send(ok("other"));
  await client.finished(3);
  send(client, "still");
  expect(await upstream.until("still")).toBe("still");
});
