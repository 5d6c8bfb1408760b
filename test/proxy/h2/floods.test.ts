/** Frames that bring no request further, and streams that are reset: how many a client may send in all its sessions. */
import { afterAll, describe, expect, test } from "bun:test";
import { AllClients, ClientAllowances } from "../../../src/proxy/h2/client-allowances.ts";
import { Floods } from "../../../src/proxy/h2/floods.ts";
import { ErrorCode, Flag, FrameType } from "../../../src/wire/h2/frame.ts";
import { H2Frames } from "../../support/h2-frames.ts";
import { echo, RawServer } from "../../support/raw-server.ts";
import { floodBytes, floods } from "../../support/reset-flood.ts";
import { turns } from "../../support/turn.ts";

const upstream = new RawServer({
  answer: (request) => (request.target === "/never" ? undefined : echo(request)),
});
afterAll(() => upstream.stop());

const authority = "api.localhost";
const increment = [0, 0, 1, 0];

function session(allowances?: () => ClientAllowances): H2Frames {
  return new H2Frames({ api: upstream }, authority, allowances).greet();
}

/** Sessions of one client. */
function sessionsOf(count: number): H2Frames[] {
  const clients = new AllClients();
  const allowances = (): ClientAllowances => clients.of({ pid: 7, uid: 0 }, 0);
  return Array.from({ length: count }, () => session(allowances));
}

/** Sends in the pieces that a socket gives. */
function sendAll(client: H2Frames, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length && !client.ended; at += 16_384) {
    client.send(bytes.subarray(at, at + 16_384));
  }
}

describe("8 sessions that have 3,900 streams each reset are ended, by", () => {
  test.each(floods)("$name", async (flood) => {
    const clients = new AllClients();
    const accepted = upstream.accepted.length;
    const ended: H2Frames[] = [];
    const bytes = floodBytes(flood, { count: 3_900, authority });
    for (let count = 0; count < 8; count++) {
      const client = new H2Frames({ api: upstream }, authority, () =>
        clients.of({ pid: 7, uid: 0 }, 0),
      );
      ended.push(client);
      sendAll(client, bytes);
    }
    for (const client of ended) {
      expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
      expect(client.shared.faults).toEqual([]);
    }
    await turns(5);
    // A stream whose reset is in the next read may have been dialled for.
    expect(upstream.accepted.length - accepted).toBeLessThan(100);
  });
});

test("a stream that is opened and taken back in one read is no request at all, not on an idle connection either", async () => {
  const client = session();
  client.request(1);
  await client.finished(1);
  const before = upstream.requests.length;
  const accepted = upstream.accepted.length;
  client.send(floodBytes(floods[0]!, { count: 50, authority, first: 3 }));
  client.request(201, { path: "/last" });
  await client.finished(201);
  expect(upstream.requests.slice(before).map(({ target }) => target)).toEqual(["/last"]);
  expect(upstream.accepted.length).toBe(accepted);
});

test("behind GOAWAY little is read, and 2 s later the connection is closed", async () => {
  const client = session();
  client.frame(FrameType.data, { stream: 1, payload: [1] });
  expect(await client.goAwayCode()).toBe(ErrorCode.protocolError);
  client.send(new Uint8Array(65_536));
  expect(client.paused).toBe(false);
  client.send(new Uint8Array(1));
  expect(client.paused).toBe(true);
  expect(client.over).toBe(false);
  client.shared.now += 2.5;
  client.session.tick();
  expect(client.over).toBe(true);
});

describe("a page", () => {
  test("that is reloaded with 1,000 requests in flight, and again, is untouched", async () => {
    const sessions = sessionsOf(4);
    let stream = 1;
    for (let reload = 0; reload < 2; reload++) {
      const first = stream;
      for (let count = 0; count < 250; count++, stream += 2) {
        for (const client of sessions) client.request(stream, { path: "/never" });
      }
      for (let at = first; at < stream; at += 2) {
        for (const client of sessions) {
          client.frame(FrameType.resetStream, { stream: at, payload: [0, 0, 0, 8] });
        }
      }
    }
    for (const client of sessions) {
      client.request(stream);
      await client.finished(stream);
      expect(client.ended).toBe(false);
    }
  });

  test("that takes back what it has begun to read counts half", async () => {
    const [client] = sessionsOf(1);
    let stream = 1;
    for (let count = 0; count < 2_500; count++, stream += 2) {
      client!.request(stream, { authority: "localhost", path: "/nothing" });
      client!.frame(FrameType.resetStream, { stream, payload: [0, 0, 0, 8] });
    }
    expect(client!.ended).toBe(false);
  });
});

describe("frames that say nothing", () => {
  const many = 20_000;
  test.each<[string, (client: H2Frames) => void]>([
    ["WINDOW_UPDATE", (c) => c.frame(FrameType.windowUpdate, { stream: 0, payload: increment })],
    [
      "WINDOW_UPDATE of a stream",
      (c) => c.frame(FrameType.windowUpdate, { stream: 1, payload: [0, 0, 0, 1] }),
    ],
    [
      "WINDOW_UPDATE of a stream that is closed",
      (c) => c.frame(FrameType.windowUpdate, { stream: 3, payload: [0, 0, 0, 1] }),
    ],
    ["GOAWAY", (c) => c.frame(FrameType.goAway, { stream: 0, payload: new Uint8Array(8) })],
    [
      "RST_STREAM of a stream that is closed",
      (c) => c.frame(FrameType.resetStream, { stream: 3, payload: [0, 0, 0, 8] }),
    ],
  ])("%s", async (_, act) => {
    const client = session();
    client.request(1, { path: "/never" });
    client.request(3);
    await client.finished(3);
    for (let count = 0; count < many && !client.ended; count++) act(client);
    expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
  });

  test("each setting of SETTINGS counts: a frame of 2,700 is no one frame", async () => {
    const client = session();
    const payload = Array.from({ length: 2_700 }, () => [0, 4, 0, 0, 255, 255]).flat();
    let frames = 0;
    for (; frames < 100 && !client.ended; frames++) {
      client.frame(FrameType.settings, { stream: 0, payload });
    }
    expect(frames).toBeLessThan(10);
    expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
  });

  test("CONTINUATION, over many sections", async () => {
    const client = session();
    const block = client.block([
      [":method", "GET"],
      [":scheme", "https"],
      [":authority", authority],
      [":path", "/"],
    ]);
    let stream = 1;
    for (; stream < 2_000 && !client.ended; stream += 2) {
      client.frame(FrameType.headers, { flags: Flag.endStream, stream, payload: [] });
      for (let count = 0; count < 100; count++) {
        client.frame(FrameType.continuation, { stream, payload: [] });
      }
      client.frame(FrameType.continuation, { flags: Flag.endHeaders, stream, payload: block });
      if (!client.ended) await client.finished(stream);
    }
    expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
  });

  test("requests behind our GOAWAY", async () => {
    const client = session();
    client.request(1, { path: "/never" });
    client.session.drain();
    let stream = 3;
    for (; stream < 10_000 && !client.ended; stream += 2) client.request(stream);
    expect(client.ended).toBe(true);
  });

  test("8 sessions share what they may send", async () => {
    const sessions = sessionsOf(8);
    for (let count = 0; count < 6_500; count++) {
      for (const client of sessions) {
        if (!client.ended) client.frame(FrameType.ping, { stream: 0, payload: new Uint8Array(8) });
      }
    }
    for (const client of sessions) {
      expect(await client.goAwayCode()).toBe(ErrorCode.enhanceYourCalm);
    }
  });
});

test("windows are widened as often as DATA comes: Go does so for every 4 KiB, twice", () => {
  const floods = new Floods(() => new ClientAllowances());
  const sent = { frames: 0, octets: 0 };
  for (let mebibyte = 0; mebibyte < 150; mebibyte++) {
    sent.frames += 64;
    sent.octets += 1_048_576;
    for (let count = 0; count < 2 * 256; count++) {
      expect(floods.windowUpdate(sent, 0)).toBeUndefined();
    }
  }
  // Small events, each of which is acknowledged.
  for (let event = 0; event < 30_000; event++) {
    sent.frames++;
    sent.octets += 20;
    floods.windowUpdate(sent, 0);
    if (floods.windowUpdate(sent, 0) !== undefined) throw new Error(`event ${event}`);
  }
  let updates = 0;
  while (floods.windowUpdate(sent, 0) === undefined) updates++;
  expect(updates).toBeLessThan(80_000);
});

describe("clients", () => {
  test("a process has its own allowance, whatever its user's other processes do", () => {
    const clients = new AllClients();
    expect(clients.of({ pid: 1, uid: 0 }, 0)).toBe(clients.of({ pid: 1, uid: 0 }, 5));
    expect(clients.of({ pid: 1, uid: 0 }, 0)).not.toBe(clients.of({ pid: 2, uid: 0 }, 0));
    expect(clients.of({ pid: undefined, uid: 0 }, 0)).toBe(
      clients.of({ pid: undefined, uid: 0 }, 0),
    );
    expect(clients.of({ pid: undefined, uid: 0 }, 0)).not.toBe(
      clients.of({ pid: undefined, uid: 1 }, 0),
    );
  });

  test("those that have all of it are forgotten, others are not", () => {
    const clients = new AllClients();
    const guilty = clients.of({ pid: 1, uid: 0 }, 0);
    guilty.resets.take(3_000, 0);
    for (let pid = 2; pid < 500; pid++) clients.of({ pid, uid: 0 }, 1);
    expect(clients.of({ pid: 1, uid: 0 }, 1)).toBe(guilty);
    for (let pid = 2; pid < 500; pid++) clients.of({ pid, uid: 0 }, 10);
    expect(clients.of({ pid: 1, uid: 0 }, 10)).not.toBe(guilty);
  });
});
