import { describe, expect, test } from "bun:test";
import { addressOctets } from "../../src/system/address-octets.ts";
import { listenersAt } from "../../src/system/listener-at.ts";
import { listenersOn } from "../../src/system/listeners.ts";
import { RawServer } from "../support/raw-server.ts";

const describeLinux = process.platform === "linux" ? describe : describe.skip;

for (const by of ["diagnostics", "table"] as const) {
  describeLinux(`the socket that a connection would reach, by ${by}`, () => {
    const at = listenersAt("linux", { by })!;
    const inodesOn = (port: number) => listenersOn(port).map(({ inode }) => inode);

    test.each([
      ["127.0.0.1", ["127.0.0.1"], ["127.0.0.2", "::1"]],
      ["0.0.0.0", ["127.0.0.1", "127.0.0.9"], ["::1"]],
      ["::", ["127.0.0.1", "::1", "127.0.0.2"], []],
      ["::1", ["::1"], ["127.0.0.1"]],
    ])("on %p is found at %p, and not at %p", (address, reached, others) => {
      using server = new RawServer({ address });
      const inodes = inodesOn(server.port);
      expect(inodes).toHaveLength(1);
      for (const place of reached)
        expect(at({ address: place, port: server.port })).toEqual(inodes);
      for (const place of others) expect(at({ address: place, port: server.port })).toEqual([]);
    });

    test("is the one at the more exact address", () => {
      using wide = new RawServer({ address: "0.0.0.0", shared: true });
      const [other] = inodesOn(wide.port);
      using exact = new RawServer({ port: wide.port, shared: true });
      const own = inodesOn(exact.port).filter((inode) => inode !== other);
      expect(at({ address: "127.0.0.1", port: wide.port })).toEqual(own);
      expect(at({ address: "127.0.0.2", port: wide.port })).toEqual([other!]);
    });

    test("is none once nobody listens, also while a connection is open", async () => {
      using server = new RawServer();
      await Bun.connect({ hostname: "127.0.0.1", port: server.port, socket: { data() {} } });
      await server.next();
      server.unlisten();
      expect(at({ address: "127.0.0.1", port: server.port })).toEqual([]);
    });

    test("is not told of what is no address", () => {
      expect(at({ address: "box.example", port: 80 })).toBeUndefined();
    });
  });
}

test("only Linux tells", () => {
  expect(listenersAt("darwin")).toBeUndefined();
});

test.each([
  ["127.0.0.1", "7f000001"],
  ["::1", `${"0".repeat(31)}1`],
  ["::", "0".repeat(32)],
  ["fe80::1:2", "fe800000000000000000000000010002"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001"],
  ["1::", `0001${"0".repeat(28)}`],
])("the octets of %p are %p", (address, hex) => {
  expect(Buffer.from(addressOctets(address)!).toString("hex")).toBe(hex);
});

test.each(["", "localhost", "fe80::1%lo", "1.2.3", "/run/api.sock"])("%p has no octets", (text) => {
  expect(addressOctets(text)).toBeUndefined();
});
