/** Clients that are slow, or never done: each is held up or let go, and takes no memory of ours meanwhile. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpRequest } from "../../src/control/found/http-request.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ask, credential, fakeBackend, httpDoor, once, socketDoor } from "./doors.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lh-slow-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

test("a follower by the socket that does not read is let go, and others follow on", async () => {
  const backend = fakeBackend();
  const door = socketDoor(join(directory, "daemon.sock"), backend);
  door.claim();
  try {
    const slow = await connectRaw({ unix: door.path });
    slow.send('"Events"\n');
    await slow.until('"event":"hello"');
    slow.pause();
    const line = "x".repeat(mebibyte);
    for (let n = 0; n < 64 && door.connections > 0; n++) {
      backend.feed.log(line);
      await turn();
    }
    await eventually("it is let go", () => door.connections === 0);
    slow.reset();
    expect(await once(door.path, '"Ping"\n')).toBe('"Pong"\n');
  } finally {
    await door.stop();
  }
});

test("a client of the API that goes on sending while its answer is made is held up", async () => {
  const backend = fakeBackend();
  const look = Promise.withResolvers<void>();
  backend.look = () => look.promise;
  const door = httpDoor({ backend });
  const own = `Host: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\n`;
  const client = await connectRaw(door.port, { send: `GET /v1/look HTTP/1.1\r\n${own}\r\n` });
  let taken = false;
  const sending = client
    .send(new Uint8Array(64 * mebibyte).fill(120))
    .sent()
    .then(() => {
      taken = true;
    });
  // Each of these gives the daemon time to read what it would read.
  for (let n = 0; n < 300 && !taken; n++) expect((await ask(door, "/v1/ping")).status).toBe(200);
  expect(taken).toBe(false);
  look.resolve();
  await client.until("HTTP/1.1 200 OK");
  client.reset();
  await sending;
});

test("whoever asks on and on and reads no answer is held up, even without the credential, until it reads", async () => {
  let answers = 0;
  const page = {
    isHost: () => false,
    session: () => false,
    answer() {
      answers += 1;
      return { status: 200, headers: {}, body: new Uint8Array(mebibyte) };
    },
  };
  const door = httpDoor({ page });
  using client = await connectRaw(door.port);
  client.keep = false;
  client.pause();
  client.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n\r\n`.repeat(200));
  // Each of these gives the daemon time to answer what it would answer; the system's own buffers hold some of it.
  for (let n = 0; n < 300; n++) expect((await ask(door, "/v1/ping")).status).toBe(200);
  expect(answers).toBeLessThan(100);
  client.resume();
  await client.counted(200 * mebibyte, 100_000);
  expect(answers).toBe(200);
}, 120_000);

test("a thousand requests in one piece keep nobody waiting", async () => {
  let judged = 0;
  const door = httpDoor({
    credential: () => {
      judged += 1;
      return credential;
    },
  });
  const own = `Host: 127.0.0.1:${door.port}\r\nAuthorization: Bearer `;
  using crowd = await connectRaw(door.port);
  using other = await connectRaw(door.port);
  crowd.send(`GET /v1/ping HTTP/1.1\r\n${own}wrong\r\n\r\n`.repeat(1_000));
  other.send(`GET /v1/ping HTTP/1.1\r\n${own}${credential}\r\n\r\n`);
  expect((await other.message()).status).toBe(200);
  expect(judged).toBeLessThan(200);
  for (let n = 0; n < 1_000; n++) await crowd.message();
  expect(judged).toBe(1_001);
});

test("requests in one piece with the end of what is sent behind them are all answered", async () => {
  const door = httpDoor();
  const request = `GET /v1/ping HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${credential}\r\n\r\n`;
  using client = await connectRaw(door.port);
  client.send(request.repeat(100)).finish();
  for (let n = 0; n < 100; n++) expect((await client.message()).status).toBe(200);
  expect(await client.rest()).toBe("");
});

test.each([
  ["a head", "HTTP/1.1 200 OK\r\nX: "],
  ["a body", "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"],
])(
  "whoever answers our proof with %s that has no end is a stranger, and not waited for",
  async (_, begin) => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket) => void socket.write(begin + "x".repeat(mebibyte)),
      },
    });
    try {
      const answer = await httpRequest({
        address: "127.0.0.1",
        port: server.port,
        method: "GET",
        path: "/",
        deadline: 1_000,
        // It does not move: only what comes can end this.
        clock: new FakeClock(),
      });
      expect(answer.kind).toBe("strange");
    } finally {
      server.stop(true);
    }
  },
);
