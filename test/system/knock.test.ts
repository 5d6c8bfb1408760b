import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { knocks } from "../../src/system/knock.ts";
import { listen } from "../../src/link/listen.ts";
import { smallBacklog } from "../support/small-backlog.ts";

const knock = knocks("linux")!;
const descriptors = (): number => readdirSync("/proc/self/fd").length;

test.each(["127.0.0.1", "::1"])("a connection to %s is open at once", (address) => {
  const listening = listen({ address, port: 0 }, (link) => link.abort());
  const descriptor = knock.begin(address, listening.port);
  expect(knock.look(descriptor)).toBe("open");
  knock.close(descriptor);
  listening.stop();
});

test("a server whose queue is full has room again once it accepts, and what was given up is closed", async () => {
  using server = smallBacklog(1);
  const before = descriptors();
  const all = Array.from({ length: 4 }, () => knock.begin("127.0.0.1", server.port));
  expect(all.map((descriptor) => knock.look(descriptor))).toEqual([
    "open",
    "open",
    "pending",
    "pending",
  ]);
  for (const descriptor of all) knock.close(descriptor);
  expect(descriptors()).toBe(before);
  await server.accept();
  const next = knock.begin("127.0.0.1", server.port);
  expect(knock.look(next)).toBe("open");
  knock.close(next);
});

test("nobody listens, and an address that is none", () => {
  const server = smallBacklog(1);
  const { port } = server;
  server[Symbol.dispose]();
  const descriptor = knock.begin("127.0.0.1", port);
  expect(knock.look(descriptor)).toBe("failed");
  knock.close(descriptor);
  expect(knock.begin("localhost", port)).toBe(-1);
  expect(knock.begin("fe80::1", port)).toBe(-1);
});

test("other systems open a connection over loopback later", () => {
  expect(knocks("darwin")).toBeUndefined();
});
