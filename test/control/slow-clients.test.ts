/** Clients that are slow, or never done: each is held up or let go, and takes no memory of ours meanwhile. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpRequest } from "../../src/control/http-request.ts";
import { ipcDoor } from "../../src/control/ipc.ts";
import { systemClock } from "../../src/system/clock.ts";
import { peerCredentials } from "../../src/system/peer-credentials.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { rawClient, turn } from "../support/raw-client.ts";
import { ask, credential, fakeBackend, httpDoor } from "./doors.ts";
import { ipcClient, once } from "./ipc-client.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lh-slow-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

test("a follower by the socket that does not read is let go, and others follow on", async () => {
  const backend = fakeBackend();
  const door = ipcDoor({
    path: join(directory, "daemon.sock"),
    clock: systemClock,
    backend,
    peers: peerCredentials(process.platform),
    uid: process.getuid!(),
    credential: () => "c".repeat(64),
    fault(error) {
      throw error;
    },
  });
  door.claim();
  try {
    const slow = await ipcClient(door.path);
    await slow.send('"Events"\n');
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
  const client = await rawClient(door.port, { send: `GET /v1/look HTTP/1.1\r\n${own}\r\n` });
  let taken = false;
  const sending = client.send(new Uint8Array(64 * mebibyte).fill(120)).then(() => {
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
