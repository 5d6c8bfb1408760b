import { expect, test } from "bun:test";
import { choosePort, isBlocked } from "../../src/supervisor/project/ports.ts";
import { loopback } from "../../src/system/loopback.ts";

const none: ReadonlySet<number> = new Set();
const allFree = { isFree: () => true };
const usual = { sticky: undefined, taken: none, kept: none, loopback: allFree };

test("a service gets the same port each time, between 20000 and 29999, and others another", () => {
  const ports = Array.from({ length: 50 }, (_, at) => choosePort(`shop:s${at}`, usual)!);
  expect(ports).toEqual(Array.from({ length: 50 }, (_, at) => choosePort(`shop:s${at}`, usual)!));
  expect(ports.every((port) => port >= 20_000 && port < 30_000)).toBe(true);
  expect(new Set(ports).size).toBeGreaterThan(45);
});

test("the port it had is kept while it is free, and no other service has it", () => {
  const sticky = 23_456;
  expect(choosePort("a:b", { ...usual, sticky })).toBe(sticky);
  expect(choosePort("a:b", { ...usual, sticky, taken: new Set([sticky]) })).not.toBe(sticky);
  const busy = { isFree: (port: number) => port !== sticky };
  expect(choosePort("a:b", { ...usual, sticky, loopback: busy })).not.toBe(sticky);
});

test("two hundred services get two hundred ports", () => {
  const taken = new Set<number>();
  for (let at = 0; at < 200; at++) taken.add(choosePort(`p:s${at}`, { ...usual, taken })!);
  expect(taken.size).toBe(200);
});

test("a stopped service's port is given away only when there is no other", () => {
  const mine = choosePort("a:b", usual)!;
  expect(choosePort("a:b", { ...usual, kept: new Set([mine]) })).not.toBe(mine);
  const onlyMine = { isFree: (port: number) => port === mine };
  expect(choosePort("a:b", { ...usual, kept: new Set([mine]), loopback: onlyMine })).toBe(mine);
  expect(choosePort("a:b", { ...usual, loopback: { isFree: () => false } })).toBeUndefined();
});

test("what browsers refuse to open is never given", () => {
  expect([6000, 6666, 10_080, 5060, 2049].every(isBlocked)).toBe(true);
  expect([3000, 5173, 8080, 20_000].some(isBlocked)).toBe(false);
  expect(choosePort("a:b", { ...usual, sticky: 6000 })).not.toBe(6000);
});

for (const hostname of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
  test(`a port on which somebody listens on ${hostname} is not free, and is again afterwards`, () => {
    const { isFree } = loopback(process.platform);
    const server = Bun.listen({ hostname, port: 0, socket: { data() {} } });
    const { port } = server;
    try {
      expect(isFree(port)).toBe(false);
    } finally {
      server.stop(true);
    }
    expect(isFree(port)).toBe(true);
    expect(isFree(port)).toBe(true);
  });
}

test("connections that wait for their time to pass do not hold a port", async () => {
  const { isFree } = loopback(process.platform);
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    // Who closes first waits.
    socket: { open: (socket) => void socket.end(), data() {} },
  });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: { data() {}, close: () => resolve() },
  });
  await closed;
  server.stop(true);
  expect(isFree(server.port)).toBe(true);
});
