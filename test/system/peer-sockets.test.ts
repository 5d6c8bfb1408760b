/** The socket at the other end of a connection: found by its whole address, whoever else has the same port number. */
import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, readdirSync, readlinkSync } from "node:fs";
import { listen } from "../../src/link/listen.ts";
import { nobody } from "../../src/link/link.ts";
import type { SocketLink } from "../../src/link/socket-link.ts";
import { type Peer, peerSockets } from "../../src/system/peer-sockets.ts";
import { asRoot, canBeOther, otherClient, otherUid } from "../support/other-user.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";

const uid = process.getuid?.() ?? -1;

const undone: (() => void)[] = [];
afterEach(() => {
  for (const undo of undone.splice(0)) undo();
});

/** A listener, and the links that it has accepted. */
function door(address = "127.0.0.1") {
  const links: SocketLink[] = [];
  const listener = listen({ address, port: 0 }, (link) => {
    link.handler = nobody;
    links.push(link);
  });
  undone.push(() => {
    for (const link of links) link.abort();
    listener.stop();
  });
  return {
    port: listener.port,
    async next(count = 1): Promise<SocketLink> {
      await eventually(`${count} connections`, () => links.length >= count);
      return links[count - 1]!;
    },
  };
}

const describeLinux = process.platform === "linux" ? describe : describe.skip;

for (const by of ["diagnostics", "table"] as const) {
  describeLinux(`by ${by === "table" ? "/proc/net/tcp" : "the kernel's diagnostics"}`, () => {
    const peers = peerSockets("linux", { by })!;

    for (const address of ["127.0.0.1", "::1"]) {
      test(`a client on ${address} is found, with its user and its socket`, async () => {
        const at = door(address);
        using _client = await connectRaw(at.port, { address });
        const found = peers.find(await at.next()) as Exclude<Peer, string>;
        expect(found.uid).toBe(uid);
        expect(found.inode).toBeGreaterThan(0);
      });
    }

    test("a client that speaks IPv4 by an IPv6 socket is found", async () => {
      const at = door();
      using client = await connectRaw(at.port, { address: "::ffff:127.0.0.1" });
      expect(peers.find(await at.next())).toMatchObject({ uid });
      client.close();
    });

    test("a client that only stopped sending still belongs to its process", async () => {
      const at = door();
      using client = await connectRaw(at.port);
      const link = await at.next();
      const before = peers.find(link);
      client.finish();
      expect(peers.find(link)).toEqual(before);
    });

    test("a client that closed belongs to nobody", async () => {
      const at = door();
      using client = await connectRaw(at.port);
      const link = await at.next();
      // So that our end stands when the other has gone.
      link.pause();
      client.close();
      await eventually("its end", () => {
        const peer = peers.find(link);
        return peer === "none" || (peer !== "unknown" && peer.inode === 0);
      });
    });

    test("a connection that has ended has nobody at its other end", async () => {
      const at = door();
      using client = await connectRaw(at.port);
      const link = await at.next();
      client.reset();
      await client.gone();
      await eventually("its end", () => peers.find(link) === "none");
    });

    test.skipIf(!canBeOther)(
      `another person who uses the same port number of another address is told apart ${asRoot}`,
      async () => {
        const at = door();
        using _client = await connectRaw(at.port);
        const own = await at.next();
        const other = otherClient(at.port, {
          script: `<STDIN>`,
          from: ["127.0.0.3", own.remotePort],
        });
        undone.push(() => other.kill("SIGKILL"));
        const theirs = await at.next(2);
        expect([theirs.remoteAddress, theirs.remotePort]).toEqual(["127.0.0.3", own.remotePort]);
        expect(peers.find(theirs)).toMatchObject({ uid: otherUid });
        expect(peers.find(own)).toMatchObject({ uid });
      },
    );

    test.skipIf(!canBeOther)(
      `a person who sends and resets is not found, although we listen on that port ${asRoot}`,
      async () => {
        const at = door();
        const other = otherClient(at.port, {
          script: `
            <STDIN>; syswrite($s, "x");
            setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close($s);`,
        });
        undone.push(() => other.kill("SIGKILL"));
        const link = await at.next();
        const { remotePort } = link;
        const ends = {
          remoteAddress: link.remoteAddress,
          remotePort,
          localAddress: link.localAddress,
          localPort: link.localPort,
        };
        expect(peers.find(ends)).toMatchObject({ uid: otherUid });
        other.stdin.write("go\n");
        other.stdin.flush();
        await other.exited;
        const ours = listen({ address: "127.0.0.1", port: remotePort }, (its) => its.abort());
        undone.push(() => ours.stop());
        expect(peers.find(ends)).toBe("none");
      },
    );

    test("a connection to another machine has no end here", () => {
      expect(
        peers.find({
          remoteAddress: "192.0.2.1",
          remotePort: 80,
          localAddress: "192.0.2.2",
          localPort: 40_000,
        }),
      ).toBe("none");
    });
  });
}

describeLinux("diagnostics that fail later", () => {
  test("give way to the table: who was told from us before still is", async () => {
    const at = door();
    using _client = await connectRaw(at.port);
    const link = await at.next();
    const before = sockets();
    const peers = peerSockets("linux", { by: "diagnostics" })!;
    const netlink = [...sockets()].flatMap(([socket, descriptor]) => {
      return before.has(socket) ? [] : [descriptor];
    });
    expect(netlink).toHaveLength(1);
    closeSync(netlink[0]!);
    expect(peers.find(link)).toMatchObject({ uid });
  });
});

/** Each of this process's sockets, and its descriptor. */
function sockets(): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of readdirSync("/proc/self/fd")) {
    let target = "";
    try {
      target = readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      // The one by which the folder was read.
    }
    if (target.startsWith("socket:")) found.set(target, Number(name));
  }
  return found;
}

test("where the system has neither, nothing is known", () => {
  expect(peerSockets("darwin")).toBeUndefined();
  const nowhere = peerSockets("linux", { by: "table", proc: "/nonexistent" })!;
  const ends = {
    remoteAddress: "127.0.0.1",
    remotePort: 4,
    localAddress: "127.0.0.1",
    localPort: 5,
  };
  expect(nowhere.find(ends)).toBe("unknown");
});

describeLinux("what it costs", () => {
  test("the kernel's diagnostics answer thousands of times a second, whatever the table holds", async () => {
    const at = door();
    // Each leaves a row in the table for a minute.
    for (let n = 0; n < 20; n++) {
      const crowd = await Promise.all(Array.from({ length: 100 }, () => connectRaw(at.port)));
      for (const client of crowd) client.close();
    }
    using client = await connectRaw(at.port);
    const link = await at.next(2_001);
    expect(link.remotePort).toBe(client.localPort);
    const peers = peerSockets("linux")!;
    const before = process.cpuUsage();
    for (let n = 0; n < 5_000; n++) peers.find(link);
    const { user, system } = process.cpuUsage(before);
    // 4 µs each. Reading the table takes 100 µs where it is empty, and 3 ms with a thousand sockets.
    expect((user + system) / 5_000).toBeLessThan(40);
  });
});
