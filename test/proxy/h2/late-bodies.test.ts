/** Answers that are complete before their requests: the rest is taken for a moment, so that the answer arrives. */
import { afterAll, expect, test } from "bun:test";
import { ErrorCode, Flag, FrameType } from "../../../src/wire/h2/frame.ts";
import { H2Frames } from "../../support/h2-frames.ts";
import { refusingServer } from "../../support/refusing-server.ts";

const upstream = refusingServer();
afterAll(() => upstream.stop());

const { data, headers, ping, resetStream, windowUpdate } = FrameType;

/** A session with stream 1, whose answer is complete and whose request is not. */
async function refused(authority = "api.localhost"): Promise<H2Frames> {
  const client = new H2Frames({ api: upstream }).greet();
  client.request(1, { method: "POST", authority, ended: false });
  await client.finished(1);
  client.heard.length = 0;
  return client;
}

const codeOf = (client: H2Frames, stream = 1): number | undefined =>
  client.heard.find((its) => its.type === resetStream && its.stream === stream)?.payload[3];

function tickAt(client: H2Frames, seconds: number): void {
  client.shared.now = seconds;
  client.session.tick();
}

/** DATA of 16 KiB frames. @returns octets of the stream's window that were given back. */
function pour(client: H2Frames, frames: number): number {
  for (let sent = 0; sent < frames; sent++) {
    client.frame(data, { payload: new Uint8Array(16_384) });
  }
  let given = 0;
  for (const { type, stream, payload } of client.heard) {
    if (type === windowUpdate && stream === 1) given += Buffer.from(payload).readUInt32BE();
  }
  return given;
}

test.each(["api.localhost", "web.localhost"])(
  "the rest of an upload to %s is taken for 2 s, and the stream is reset without an error",
  async (authority) => {
    const client = await refused(authority);
    expect(pour(client, 64)).toBeGreaterThan(700_000);
    tickAt(client, 1.5);
    expect(codeOf(client)).toBeUndefined();
    tickAt(client, 2);
    await client.next(resetStream, 1);
    expect(codeOf(client)).toBe(ErrorCode.noError);
    client.frame(data, { payload: [1] });
    client.request(3, { authority: "web.localhost" });
    await client.finished(3);
    expect(client.shared.faults).toEqual([]);
  },
);

test("an upload that ends meanwhile is closed without a reset, and its client hears of it", async () => {
  const client = await refused();
  client.frame(data, { payload: [1] });
  expect(client.heard).toEqual([]);
  client.frame(data, { flags: Flag.endStream });
  // curl 7.88 waits until something comes.
  await client.next(ping);
  tickAt(client, 60);
  expect(codeOf(client)).toBeUndefined();
});

test("trailers end it as well, and so does a client that resets its stream", async () => {
  const trailing = await refused();
  const payload = trailing.block([["x", "y"]]);
  trailing.frame(headers, { flags: Flag.endHeaders | Flag.endStream, payload });
  const reset = await refused();
  reset.frame(resetStream, { payload: [0, 0, 0, ErrorCode.noError] });
  for (const client of [trailing, reset]) {
    tickAt(client, 2);
    expect(codeOf(client)).toBeUndefined();
    expect(client.ended).toBe(false);
  }
});

test("no more than 16 MiB are taken", async () => {
  const client = await refused();
  pour(client, 1_024);
  expect(codeOf(client)).toBeUndefined();
  pour(client, 1);
  expect(codeOf(client)).toBe(ErrorCode.noError);
});

test("of 65 such streams, the oldest is reset at once", async () => {
  const client = await refused("web.localhost");
  for (let stream = 3; stream <= 129; stream += 2) {
    client.request(stream, { method: "POST", authority: "web.localhost", ended: false });
    await client.finished(stream);
    const isLast = stream === 129;
    expect([stream, codeOf(client)]).toEqual([stream, isLast ? ErrorCode.noError : undefined]);
  }
  expect(codeOf(client, 3)).toBeUndefined();
});
