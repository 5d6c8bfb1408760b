/**
 * A server with a backlog of 5 that answers one connection at a time, and 8 sessions that have their streams reset: the
 * short form of `test/soak/rapid-reset.ts`, which has the times of a machine that does nothing else.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { ErrorCode } from "../../src/wire/h2/frame.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy-process.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { floodBytes, floodingSession, floods } from "../support/reset-flood.ts";
import { serveInTurn, type SmallBacklog, smallBacklog } from "../support/small-backlog.ts";

const sessions = 8;
const streams = 3_900;
/** Milliseconds for an answer on a busy machine. An attempt to connect that was dropped is repeated after 7 s too. */
const patience = 5_000;
const within = 20_000;

let slow: SmallBacklog;
let other: RawServer;
let proxy: ProxyProcess;
let stop: () => void;

beforeAll(async () => {
  slow = smallBacklog(5);
  other = new RawServer({ answer: () => ok("other") });
  proxy = await startProxyProcess({ slow: slow.port, other: other.port }, { tls: true });
  stop = serveInTurn(slow, () => ok("slow", ["Connection: close"]));
});

afterAll(async () => {
  stop();
  await proxy[Symbol.asyncDispose]();
  slow[Symbol.dispose]();
  other.stop();
});

/** @returns milliseconds. */
async function ask(name: string): Promise<number> {
  const began = performance.now();
  using client = await connectRaw(proxy.port);
  client.send(`GET / HTTP/1.1\r\nHost: ${name}.localhost\r\nConnection: close\r\n\r\n`);
  expect((await client.message()).body).toBe(name);
  return performance.now() - began;
}

test.each(floods.slice(0, 2))(
  "$name: others are answered, few descriptors are open, and every session is ended",
  async (flood) => {
    await ask("slow");
    const connect = () => floodingSession(proxy.port, "slow.localhost");
    const attackers = await Promise.all(Array.from({ length: sessions }, connect));
    const bytes = floodBytes(flood, { count: streams, authority: "slow.localhost" });
    const ends = Promise.all(attackers.map((attacker) => attacker.send(bytes, within)));
    let descriptors = 0;
    for (let rounds = 0; rounds < 10; rounds++) {
      const times = await Promise.all(["slow", "slow", "other"].map(ask));
      expect(Math.max(...times)).toBeLessThan(patience);
      descriptors = Math.max(descriptors, readdirSync(`/proc/${proxy.pid}/fd`).length);
    }
    for (const { goAway } of await ends) expect(goAway).toBe(ErrorCode.enhanceYourCalm);
    expect(descriptors).toBeLessThan(200);
  },
  30_000,
);
