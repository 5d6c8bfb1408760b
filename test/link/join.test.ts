import { expect, test } from "bun:test";
import { join } from "../../src/link/join.ts";
import { eventually } from "../support/eventually.ts";
import { linked } from "./linked.ts";

async function joined() {
  const left = await linked();
  const right = await linked();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const faults: unknown[] = [];
  join(left.link, right.link, { closed: resolve, failed: (fault) => faults.push(fault) });
  return { left, right, closed, faults };
}

test("every byte of one reaches the other", async () => {
  const { left, right, closed } = await joined();
  left.peer.send("ping");
  await right.peer.until("ping");
  right.peer.send("pong");
  await left.peer.until("pong");
  left.peer.finish();
  right.peer.finish();
  await closed;
});

test("one side may end and still hear the other", async () => {
  const { left, right, closed } = await joined();
  left.peer.send("all I have");
  left.peer.finish();
  expect(await right.peer.rest()).toBe("all I have");
  expect(right.peer.broken).toBe(false);
  right.peer.send("and the answer");
  right.peer.close();
  expect(await left.peer.rest()).toBe("and the answer");
  expect(left.peer.broken).toBe(false);
  left.peer.close();
  await closed;
});

test("a break of one is a break of the other", async () => {
  const { left, right, closed } = await joined();
  left.peer.send("half");
  await right.peer.until("half");
  left.peer.reset();
  await right.peer.rest();
  expect(right.peer.broken).toBe(true);
  await closed;
});

test("a side that does not read stops the other, and loses nothing", async () => {
  const { left, right, closed } = await joined();
  const size = 64 * 1_048_576;
  right.peer.pause();
  const bytes = new Uint8Array(size).fill(120);
  const sent = left.peer.send(bytes).sent();
  await eventually("the sender is stopped", () => left.link.paused);
  expect(right.link.pending).toBeLessThan(4 * 1_048_576);
  right.peer.resume();
  await sent;
  left.peer.finish();
  await right.peer.rest();
  expect(right.peer.total).toBe(size);
  right.peer.close();
  await closed;
});

test("it is told once that both are gone", async () => {
  const left = await linked();
  const right = await linked();
  let told = 0;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  join(left.link, right.link, {
    closed() {
      told++;
      resolve();
    },
    failed() {},
  });
  left.peer.reset();
  right.peer.reset();
  await closed;
  left.link.abort();
  right.link.abort();
  expect(told).toBe(1);
});
