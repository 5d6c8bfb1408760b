import { describe, expect, test } from "bun:test";
import { parseProcNetLine } from "../../src/system/proc-net.ts";

const rest =
  "00000000:00000000 00:00000000 00000000  1000        0 73534 1 00000000da567048 100 0 0 10 0";
const v4 = (address: string, state = "0A") =>
  parseProcNetLine(`   1: ${address} 00000000:0000 ${state} ${rest}                     `);
const v6 = (address: string, state = "0A") =>
  parseProcNetLine(`   1: ${address} ${"0".repeat(32)}:0000 ${state} ${rest}`);

test("a row says address, port, inode and user", () => {
  expect(v4("0100007F:CAF7")).toEqual({
    address: "127.0.0.1",
    port: 51959,
    inode: 73534,
    uid: 1000,
  });
});

describe("addresses", () => {
  test.each([
    ["00000000", "0.0.0.0"],
    ["0100007F", "127.0.0.1"],
    ["0701A8C0", "192.168.1.7"],
  ])("%s is %s", (hex, address) => {
    expect(v4(`${hex}:0050`)).toMatchObject({ address, port: 80 });
  });

  test.each([
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000001000000", "::1"],
    ["0000000000000000FFFF00000100007F", "127.0.0.1"],
    ["0000000000000000FFFF000000000000", "0.0.0.0"],
    ["B80D0120000000000000000001000000", "2001:db8::1"],
    ["000080FE00000000FF00450AAB8967FE", "fe80::a45:ff:fe67:89ab"],
    // Two runs of the same length: the first is shortened. One zero alone is not.
    ["B80D0120000000000000010000000100", "2001:db8::1:0:1:0"],
    ["01000200030004000500060007000800", "2:1:4:3:6:5:8:7"],
    ["00000100030004000500060007000800", "1:0:4:3:6:5:8:7"],
  ])("%s is %s", (hex, address) => {
    expect(v6(`${hex}:1F90`)).toMatchObject({ address, port: 8080 });
  });
});

test("a row beyond the ten-thousandth is read too", () => {
  expect(parseProcNetLine(`12345: 0100007F:0050 00000000:0000 0A ${rest}`)).toMatchObject({
    port: 80,
  });
});

test("other states are told apart from lines that are no rows", () => {
  expect(v4("0100007F:CAF7", "01")).toBe("other");
  expect(v6(`${"0".repeat(32)}:CAF7`, "06")).toBe("other");
  expect(
    parseProcNetLine("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"),
  ).toBe("unread");
  expect(parseProcNetLine("")).toBe("unread");
  expect(parseProcNetLine("   0: zz")).toBe("unread");
});
