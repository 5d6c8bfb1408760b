/** A link inside TLS to a server: it behaves as one over TCP alone does, whatever the server does. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type DialOutcome, dial } from "../../src/link/dial.ts";
import { join } from "../../src/link/join.ts";
import { nobody } from "../../src/link/link.ts";
import type { SocketLink } from "../../src/link/socket-link.ts";
import { eventually } from "../support/eventually.ts";
import { RawEnd, rawEvents } from "../support/raw-end.ts";
import { RawServer } from "../support/raw-server.ts";
import { throwawayCertificateAuthority } from "../support/throwaway-certificate-authority.ts";
import { turns } from "../support/turn.ts";
import { linked, Recorder } from "./linked.ts";

const much = 64 * 1_048_576;
const text = (words: string): Uint8Array => Buffer.from(words);

let server: Bun.TCPSocketListener<RawEnd>;
let accepted: ((end: RawEnd) => void) | undefined;

beforeAll(async () => {
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor("other.localhost");
  server = Bun.listen<RawEnd>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    tls: { key: leaf.key, cert: leaf.certificate },
    socket: {
      ...rawEvents,
      open(socket) {
        socket.data = new RawEnd(socket);
        accepted?.(socket.data);
      },
    },
  });
});

afterAll(() => server.stop(true));

async function secured(): Promise<{ link: SocketLink; seen: Recorder; peer: RawEnd }> {
  const seen = new Recorder();
  const peer = new Promise<RawEnd>((resolve) => {
    accepted = resolve;
  });
  const link = new Promise<SocketLink>((connected, reject) => {
    dial(
      { address: "127.0.0.1", port: server.port, tls: { serverName: "api.localhost" } },
      { connected, failed: reject, unsecured: reject },
      seen,
    );
  });
  return { link: await link, seen, peer: await peer };
}

/** How a dial with TLS to this port comes out. */
function outcome(port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const turn: DialOutcome = {
      connected: () => resolve("connected"),
      failed: resolve,
      unsecured: resolve,
    };
    dial({ address: "127.0.0.1", port, tls: { serverName: "" } }, turn, nobody);
  });
}

test("bytes go both ways, and the peer is who the kernel says", async () => {
  const { link, seen, peer } = await secured();
  link.write(text("ping"), 0, 4);
  expect(await peer.until("ping")).toBe("ping");
  peer.send("pong");
  await seen.until(() => seen.text === "pong");
  expect([link.remoteAddress, link.remotePort]).toEqual(["127.0.0.1", server.port]);
  expect(link.descriptor).toBeGreaterThan(0);
  link.abort();
  await peer.gone();
});

test("our end does not keep the peer from answering", async () => {
  const { link, seen, peer } = await secured();
  link.write(text("ask"), 0, 3);
  link.halfClose();
  expect(await peer.rest()).toBe("ask");
  peer.send("answer").finish();
  await seen.until(() => seen.events.includes("ended"));
  expect(seen.text).toBe("answer");
  link.close();
  await seen.until(() => seen.events.includes("closed"));
});

test("a peer that ends may still read", async () => {
  const { link, seen, peer } = await secured();
  peer.send("bye").finish();
  await seen.until(() => seen.events.includes("ended"));
  expect([seen.text, seen.events]).toEqual(["bye", ["ended"]]);
  link.write(text("answer"), 0, 6);
  link.close();
  expect(await peer.rest()).toBe("answer");
});

test("a peer that breaks off is a break, and one that closes is not", async () => {
  const broken = await secured();
  broken.peer.reset();
  await broken.seen.until(() => broken.seen.events.length > 0);
  expect(broken.seen.events).toEqual(["broken"]);
  const closed = await secured();
  closed.peer.close();
  await closed.seen.until(() => closed.seen.events.length > 0);
  expect(closed.seen.events[0]).toBe("ended");
  closed.link.close();
  await closed.seen.until(() => closed.seen.events.includes("closed"));
});

test("what is closed arrives whole first", async () => {
  const { link, peer } = await secured();
  const bytes = new Uint8Array(much).fill(120);
  peer.keep = false;
  link.write(bytes, 0, much);
  expect(link.pending).toBeGreaterThan(0);
  link.close();
  await peer.counted(much, 20_000);
  expect(peer.total).toBe(much);
});

test("an abort is a break for the peer, and drops what is pending", async () => {
  const { link, peer } = await secured();
  peer.pause();
  link.write(new Uint8Array(much), 0, much);
  link.abort();
  expect(link.pending).toBe(0);
  peer.resume();
  await peer.gone();
  expect(peer.total).toBeLessThan(much);
});

test("a slow reader makes the writer wait, and it is told when it may go on", async () => {
  const { link, seen, peer } = await secured();
  peer.pause();
  peer.keep = false;
  expect(link.write(new Uint8Array(much), 0, much)).toBe(false);
  peer.resume();
  await seen.until(() => seen.events.includes("drained"));
  await peer.counted(much, 20_000);
  expect(seen.events).toEqual(["drained"]);
  link.abort();
});

test("a paused link tells no bytes, and all of them when it goes on", async () => {
  const { link, seen, peer } = await secured();
  link.pause();
  peer.send("x".repeat(1_000_000));
  await turns(20);
  expect(seen.text).toBe("");
  link.resume();
  await seen.until(() => seen.text.length === 1_000_000);
  link.abort();
});

test("joined with a link without TLS it passes every byte, and neither side's memory grows", async () => {
  const inside = await secured();
  const outside = await linked();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  join(outside.link, inside.link, { closed: resolve, failed() {} });
  inside.peer.pause();
  inside.peer.keep = false;
  const sent = outside.peer.send(new Uint8Array(much).fill(120)).sent();
  await eventually("the sender is stopped", () => outside.link.paused);
  expect(inside.link.pending).toBeLessThan(4 * 1_048_576);
  inside.peer.resume();
  await sent;
  await inside.peer.counted(much, 20_000);
  outside.peer.finish();
  await inside.peer.rest();
  inside.peer.send("all").finish();
  expect(await outside.peer.rest()).toBe("all");
  await closed;
});

for (const [what, said, expected] of [
  ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", { kind: "plain" }],
  ["SSH", "SSH-2.0-x\r\n", { kind: "plain" }],
  ["nothing, and closes", "", { kind: "lost" }],
  ["too little", "x", { kind: "lost" }],
  [
    "an alert",
    "\x15\x03\x03\x00\x02\x02\x28",
    { kind: "refused", why: "sslv3 alert handshake failure" },
  ],
] as const) {
  test(`a server that says ${what} to a hello is ${expected.kind}`, async () => {
    using plain = new RawServer();
    const told = outcome(plain.port);
    const end = await plain.next();
    await end.bytes(1);
    end.send(said).close();
    expect(await told).toEqual(expected);
  });
}

test("a server that resets in the handshake is lost, and one that refuses has the system's code", async () => {
  const plain = new RawServer();
  const told = outcome(plain.port);
  const end = await plain.next();
  await end.bytes(1);
  end.reset();
  expect(await told).toEqual({ kind: "lost" });
  plain[Symbol.dispose]();
  expect(await outcome(plain.port)).toBe("ECONNREFUSED");
});

test("a dial that is given up in its handshake lets go of the server, and tells nothing", async () => {
  using plain = new RawServer();
  let told = false;
  const tell = (): void => {
    told = true;
  };
  const cancel = dial(
    { address: "127.0.0.1", port: plain.port, tls: { serverName: "" } },
    { connected: tell, failed: tell, unsecured: tell },
    nobody,
  );
  const end = await plain.next();
  await end.bytes(1);
  cancel();
  cancel();
  await end.gone();
  expect(told).toBe(false);
});
