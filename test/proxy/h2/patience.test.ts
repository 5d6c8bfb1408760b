/** Clients of HTTP/2 that are slow, stand still, ask for too much or leave: each has one outcome, at bounded cost. */
import { afterAll, describe, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType, preface } from "../../../src/wire/h2/frame.ts";
import { frameOf, H2Frames } from "../../support/h2-frames.ts";
import { echo, RawServer } from "../../support/raw-server.ts";
import { turns } from "../../support/turn.ts";

const upstream = new RawServer({
  answer: (request, connection) => {
    if (request.target === "/never") return;
    if (request.target === "/large") {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n${"x".repeat(4_000_000)}`);
    } else connection.send(echo(request));
  },
});
afterAll(() => upstream.stop());

const services = { api: upstream };
const { headers, continuation, data, windowUpdate, settings, ping } = FrameType;

function session(): H2Frames {
  return new H2Frames(services).greet();
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function tickAt(client: H2Frames, seconds: number): void {
  client.shared.now = seconds;
  client.session.tick();
}

const get: [string, string][] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "api.localhost"],
  [":path", "/"],
];

describe("who stops in the middle is dropped after 15 s, like a slow head", () => {
  test.each([
    ["the preface", preface.slice(0, 10)],
    ["SETTINGS", [...preface, 0, 0, 6, 4, 0]],
  ])("of %s", (_, bytes) => {
    const client = new H2Frames(services);
    client.send(Uint8Array.from(bytes));
    tickAt(client, 14.5);
    expect(client.ended).toBe(false);
    tickAt(client, 15);
    expect(client.ended).toBe(true);
  });

  test("of a HEADERS frame, however busy the session is otherwise", async () => {
    const client = session();
    client.request(1, { path: "/never" });
    client.shared.now = 100;
    const frame = frameOf(headers, { flags: 5, stream: 3, payload: client.block(get) });
    // An octet now and then does not help.
    client.send(frame.slice(0, 12));
    tickAt(client, 110);
    client.send(frame.slice(12, 13));
    tickAt(client, 114.5);
    expect(client.ended).toBe(false);
    tickAt(client, 115);
    expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
    expect(client.ended).toBe(true);
  });

  test("of a section, however often it is continued", async () => {
    const client = session();
    client.request(1, { path: "/never" });
    client.shared.now = 100;
    client.frame(headers, { stream: 3, payload: [0x82] });
    for (let second = 101; second < 115; second++) {
      client.frame(continuation, { stream: 3, payload: [0x84] });
      tickAt(client, second);
    }
    expect(client.ended).toBe(false);
    tickAt(client, 115);
    expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
  });

  test("but a body may stand still, since its service waits for it", async () => {
    const client = session();
    client.request(1, { method: "POST", more: [["content-length", "3"]], ended: false });
    const frame = frameOf(data, { flags: 1, stream: 1, payload: Uint8Array.of(97, 98, 99) });
    client.send(frame.slice(0, 11));
    tickAt(client, 500);
    expect(client.ended).toBe(false);
    client.send(frame.slice(11));
    await client.finished(1);
  });
});

describe("too much at once", () => {
  test("a bomb of HPACK: a thousand references to a field of 4,000 octets are 431, and the next request is read", async () => {
    const client = session();
    const big: [string, string] = ["x-bomb", "b".repeat(4_000)];
    const block = client.block([...get, big]);
    // 62 is the newest entry of the dynamic table.
    const bomb = [...block, ...new Uint8Array(12_000).fill(0x80 | 62)];
    const before = performance.now();
    client.frame(headers, { flags: Flag.endHeaders | Flag.endStream, payload: bomb });
    expect((await client.next(headers, 1)).lines[0]).toBe(":status: 431");
    // 48 MB of fields, of which none was copied.
    expect(performance.now() - before).toBeLessThan(500);
    client.request(3);
    await client.finished(3);
    expect(client.shared.faults).toEqual([]);
  });

  test("100,000 frames of an octet each are a body like any other, in few pieces", async () => {
    const client = session();
    client.request(1, { method: "POST", ended: false });
    const count = 100_000;
    const one = frameOf(data, { flags: 0, stream: 1, payload: Uint8Array.of(97) });
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
    for (let sent = 0; sent < count; sent += 1_000) {
      client.send(many);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.frame(data, { flags: Flag.endStream });
    await client.finished(1);
    const { body, raw } = upstream.requests.at(-1)!;
    expect(body.length).toBe(count);
    // Each octet in a chunk of its own would be six times as many.
    expect(raw.length).toBeLessThan(count * 1.1);
    expect(client.shared.faults).toEqual([]);
  });

  test("a client that opens no window is waited for: nothing more is read from its services, and pings are answered", async () => {
    const client = session();
    client.frame(settings, { stream: 0, payload: [0, 4, ...uint32(0)] });
    const streams = Array.from({ length: 20 }, (_, index) => 1 + 2 * index);
    for (const stream of streams) client.request(stream, { path: "/large" });
    for (const stream of streams) await client.next(headers, stream);
    await turns(100);
    tickAt(client, 1_000);
    expect(client.ended).toBe(false);
    expect(client.session.streams).toBe(streams.length);
    client.frame(ping, { stream: 0, payload: new Uint8Array(8) });
    await client.next(ping);
    expect(client.heard.some(({ type }) => type === data)).toBe(false);
    client.frame(settings, { stream: 0, payload: [0, 4, ...uint32(10_000_000)] });
    client.frame(windowUpdate, { stream: 0, payload: uint32(100_000_000) });
    for (const stream of streams) await client.finished(stream);
  });
});

describe("a client that is gone", () => {
  test("is asked about while its link is paused, after 1, 2, 4 and more looks", () => {
    const client = session();
    expect(client.session.mayBeGone).toBe(false);
    client.pause();
    const asked = Array.from({ length: 16 }, () => client.session.mayBeGone);
    expect(asked.flatMap((ask, index) => (ask ? [index + 1] : []))).toEqual([1, 2, 4, 8, 16]);
    client.resume();
    expect(client.session.mayBeGone).toBe(false);
  });
});
