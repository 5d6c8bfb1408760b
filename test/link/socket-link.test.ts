import { expect, test } from "bun:test";
import { encode } from "../../src/wire/bytes.ts";
import { latin1Text } from "../support/latin1.ts";
import { turns } from "../support/turn.ts";
import { linked } from "./linked.ts";

/** More than any socket's buffers take at once. */
const much = 16 * 1_048_576;

function numbered(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) new DataView(bytes.buffer).setUint32(at, at);
  return bytes;
}

test("bytes arrive both ways", async () => {
  const { link, seen, peer } = await linked();
  const bytes = encode("<hello>");
  expect(link.write(bytes, 1, 6)).toBe(true);
  await peer.until("hello");
  expect(peer.text).toBe("hello");
  peer.send("hi");
  await seen.until(() => seen.text === "hi");
  expect(link.remoteAddress).toBe("127.0.0.1");
  link.abort();
});

test("what the kernel does not take is kept, copied, and sent in order", async () => {
  const { link, seen, peer } = await linked();
  peer.pause();
  const bytes = numbered(much);
  const wanted = bytes.slice();
  expect(link.write(bytes, 0, much)).toBe(false);
  expect(link.pending).toBeGreaterThan(0);
  bytes.fill(0);
  expect(link.write(encode("end"), 0, 3)).toBe(false);
  expect(seen.events).toEqual([]);
  peer.resume();
  expect(Buffer.compare(await peer.bytes(much), wanted)).toBe(0);
  expect(await peer.until("end")).toBe("end");
  await seen.until(() => seen.events.length > 0);
  expect(seen.events).toEqual(["drained"]);
  expect(link.pending).toBe(0);
  link.abort();
});

test("half-closing sends what is pending, then FIN, and reads on", async () => {
  const { link, seen, peer } = await linked();
  peer.pause();
  link.write(numbered(much), 0, much);
  link.halfClose();
  peer.resume();
  await peer.rest();
  expect(peer.total).toBe(much);
  expect(peer.broken).toBe(false);
  peer.send("still here");
  await seen.until(() => seen.text === "still here");
  peer.finish();
  await seen.until(() => seen.events.includes("closed"));
  expect(seen.events.at(-1)).toBe("closed");
});

test("closing sends what is pending, and what comes after it is not told", async () => {
  const { link, seen, peer } = await linked();
  peer.pause();
  link.write(numbered(much), 0, much);
  link.close();
  peer.send("too late");
  peer.resume();
  await peer.rest();
  expect(peer.total).toBe(much);
  peer.close();
  await seen.until(() => seen.events.includes("closed"));
  expect(seen.text).toBe("");
});

test("aborting is an error for the peer", async () => {
  const { link, seen, peer } = await linked();
  link.write(encode("half"), 0, 4);
  await peer.until("half");
  link.abort();
  await peer.rest();
  expect(peer.broken).toBe(true);
  expect(seen.events).toHaveLength(1);
});

test("a peer that breaks off is told as that", async () => {
  const { seen, peer } = await linked();
  peer.send("half");
  await seen.until(() => seen.text === "half");
  peer.reset();
  await seen.until(() => seen.events.length > 0);
  expect(seen.events).toEqual(["broken"]);
});

test("a peer that ends may still read", async () => {
  const { link, seen, peer } = await linked();
  peer.finish();
  await seen.until(() => seen.events.length > 0);
  expect(seen.events).toEqual(["ended"]);
  link.write(encode("answer"), 0, 6);
  link.close();
  expect(await peer.rest()).toBe("answer");
});

test("a paused link tells no bytes, and all of them when it goes on", async () => {
  const { link, seen, peer } = await linked();
  link.pause();
  const sent = peer.send(numbered(much)).sent();
  await turns(20);
  expect(seen.text).toBe("");
  link.resume();
  await sent;
  await seen.until(() => seen.text.length === much);
  expect(seen.text === latin1Text(numbered(much))).toBe(true);
  link.abort();
});

test("a handler that throws is told so, and its link breaks off", async () => {
  const { link, seen, peer } = await linked();
  const fault = new Error("ours");
  seen.data = () => {
    throw fault;
  };
  peer.send("x");
  await peer.rest();
  expect(peer.broken).toBe(true);
  expect(seen.faults).toEqual([fault]);
  expect(seen.events.filter((event) => event !== "failed")).toHaveLength(1);
  expect(link.pending).toBe(0);
});

test("everything is harmless on a link that is gone", async () => {
  const { link, seen, peer } = await linked();
  peer.reset();
  await seen.until(() => seen.events.length > 0);
  link.write(encode("x"), 0, 1);
  link.pause();
  link.resume();
  link.halfClose();
  link.close();
  link.abort();
  link.abort();
  expect(seen.events).toEqual(["broken"]);
  expect(link.pending).toBe(0);
});
