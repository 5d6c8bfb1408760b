/** Bodies that stand still while their server waits for them: ended after a minute, and told. */
import { describe, expect, test } from "bun:test";
import { Flag, FrameType } from "../../src/wire/h2/frame.ts";
import { bodySeconds, StillBody } from "../../src/proxy/request/still-body.ts";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { H2Frames } from "../support/h2-frames.ts";
import type { RawEnd } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { scene, type Scene } from "../support/scene.ts";
import { turns } from "../support/turn.ts";

const post = "POST / HTTP/1.1\r\nHost: api.localhost\r\n";
const length = "Content-Length: 10\r\n\r\n";

test("a body is still once nothing has moved for a minute, and while it is awaited alone", () => {
  const still = new StillBody();
  const at = (now: number, octets: number, awaited = true, began = 0): boolean =>
    still.isStill({ octets, awaited, began, now });
  expect(at(1, 5)).toBe(false);
  expect(at(61, 5)).toBe(false);
  expect(at(61.5, 5)).toBe(true);
  expect(at(62, 6)).toBe(false);
  expect(at(100, 6, false)).toBe(false);
  expect(at(160, 6)).toBe(false);
  expect(at(160.5, 6)).toBe(true);
  // The next request has as many octets by chance.
  expect(at(161.5, 6, true, 161)).toBe(false);
  still.spare(200);
  expect(at(260, 6, true, 161)).toBe(false);
  expect(bodySeconds).toBe(60);
});

/** Seconds, half a second at a time, so that what was sent before is noticed. */
function pass(clock: FakeClock, seconds: number): void {
  for (let half = 0; half < 2 * seconds; half++) clock.advance(500);
}

async function begun(its: Scene, head: string, body = "(=)"): Promise<RawEnd> {
  its.client.send(head + body);
  const upstream = await its.api.next();
  await upstream.until(body === "" ? "\r\n\r\n" : body);
  return upstream;
}

describe("HTTP/1.1", () => {
  test.each([
    ["of a length", length, "(=)"],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n", "3\r\n(=)\r\n"],
    ["of which nothing has come", length, ""],
    ["with half a trailer", "Transfer-Encoding: chunked\r\n\r\n", "0\r\nX-A:"],
  ])(
    "a body %s is 408 after a minute, and its server hears of its end",
    async (_, fields, body) => {
      const recorder = new Recorder({ clock: systemClock, now: () => performance.now() });
      await using its = await scene({ recorder });
      const { client, clock } = its;
      client.send(post + fields + body);
      const upstream = await its.api.next();
      await upstream.until("\r\n\r\n");
      pass(clock, 59);
      expect(client.total).toBe(0);
      pass(clock, 2);
      const answer = await client.message();
      expect(answer.status).toBe(408);
      expect(answer.body).toContain("60 s");
      expect(answer.one("connection")).toBe("close");
      await upstream.gone();
      expect(recorder.recent({ limit: 1 })).toMatchObject([{ service: "api", status: 408 }]);
    },
  );

  test("each octet gives it a minute more", async () => {
    await using its = await scene();
    const { client, clock } = its;
    const upstream = await begun(its, post + length);
    for (const octet of "!$&*+?") {
      pass(clock, 59);
      client.send(octet);
      await upstream.until(octet);
    }
    pass(clock, 61);
    expect((await client.message()).status).toBe(408);
  });

  test("a server that does not read is waited for, however long", async () => {
    await using its = await scene();
    const { client, clock, api } = its;
    const size = 30_000_000;
    client.send(`${post}Content-Length: ${size}\r\n\r\n`);
    const upstream = await api.next();
    await upstream.until("\r\n\r\n");
    upstream.pause();
    upstream.keep = false;
    client.send(new Uint8Array(size));
    let [left, since] = [size, 0];
    await eventually("the proxy reads no more", async () => {
      since = client.unsent < left ? 0 : since + 1;
      left = client.unsent;
      await turns(10);
      // The body also stops for a moment while it is not known what the server speaks.
      clock.advance(10);
      return since === 10;
    });
    expect(left).toBeGreaterThan(0);
    pass(clock, 600);
    upstream.resume();
    await client.sent();
    await eventually("all is there", () => upstream.total >= size);
    upstream.send(ok("thanks"));
    expect((await client.message()).body).toBe("thanks");
  });

  test("a client that waits for 100 Continue is not blamed", async () => {
    await using its = await scene();
    const { client, clock } = its;
    const upstream = await begun(its, `${post}Expect: 100-continue\r\n${length}`, "");
    pass(clock, 600);
    upstream.send("HTTP/1.1 100 Continue\r\n\r\n");
    expect((await client.message()).status).toBe(100);
    pass(clock, 59);
    client.send("0123456789");
    await upstream.until("9");
    pass(clock, 600);
    upstream.send(ok("thanks"));
    expect((await client.message()).body).toBe("thanks");
  });

  test("an answer that goes on meanwhile keeps it alive; once both stand still, the connection is reset", async () => {
    await using its = await scene();
    const { client, clock } = its;
    const upstream = await begun(its, post + length);
    upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let minutes = 0; minutes < 5; minutes++) {
      pass(clock, 59);
      upstream.send("1\r\nx\r\n");
      await client.until("x\r\n");
    }
    pass(clock, 61);
    await client.gone();
    expect(client.broken).toBe(true);
    await upstream.gone();
  });

  test("a stream of gRPC may be silent", async () => {
    await using its = await scene();
    const { client, clock } = its;
    const type = "Content-Type: application/grpc+proto\r\n";
    client.send(`${post}${type}${length}(=)`);
    // A server is asked first whether it speaks HTTP/2.
    const asked = await its.api.next();
    await asked.until("SM");
    asked.end();
    const upstream = await its.api.next();
    await upstream.until("(=)");
    pass(clock, 600);
    client.send("!$&*+?~");
    await upstream.until("~");
    upstream.send(ok("thanks"));
    expect((await client.message()).body).toBe("thanks");
  });
});

describe("HTTP/2", () => {
  test("a stream's body is 408 after a minute, and the other streams go on", async () => {
    using api = new RawServer();
    const client = new H2Frames({ api }).greet();
    client.request(1, { method: "POST", ended: false });
    client.frame(FrameType.data, { payload: [1, 2, 3] });
    const upstream = await api.next();
    await upstream.until("\x03");
    for (let now = 0.5; now <= 59; now += 0.5) {
      client.shared.now = now;
      client.session.tick();
    }
    client.request(3);
    const other = await api.next();
    await other.message();
    for (let now = 59; now <= 61; now += 0.5) {
      client.shared.now = now;
      client.session.tick();
    }
    expect((await client.next(FrameType.headers, 1)).lines[0]).toBe(":status: 408");
    await client.finished(1);
    await upstream.gone();
    other.send(ok("other"));
    await client.finished(3);
    expect(client.bodyOf(3).toString()).toBe("other");
    expect(client.heard.at(-1)!.flags & Flag.endStream).toBe(Flag.endStream);
    client.abort();
  });
});
