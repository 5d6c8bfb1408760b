/** Who answers where, by the kernel's table: the port of a service may be another user's. */
import { describe, expect, test } from "bun:test";
import { answering, belongsTo, listenersOn } from "../../src/system/listeners.ts";
import { procfsListening } from "../../src/supervisor/service/listening.ts";
import { asRoot, canBeOther, otherListener, otherUid } from "../support/other-user.ts";

const own = process.getuid?.() ?? 0;
const row = (address: string, uid: number, port = 80) => ({ address, port, uid });

const cases: [what: string, rows: ReturnType<typeof row>[], four: boolean, six: boolean][] = [
  ["nobody", [], false, false],
  ["ours", [row("127.0.0.1", 7)], true, false],
  ["root's", [row("0.0.0.0", 0)], true, false],
  ["ours on every address of both families", [row("::", 7)], true, true],
  ["a stranger's", [row("127.0.0.1", 8)], false, false],
  [
    "a stranger's beside ours, which the kernel may take turns with",
    [row("::", 7), row("::", 8)],
    false,
    false,
  ],
  [
    "a stranger's on 127.0.0.1 before ours on every address",
    [row("127.0.0.1", 8), row("0.0.0.0", 7)],
    false,
    false,
  ],
  ["a stranger's in the other family", [row("127.0.0.1", 7), row("::1", 8)], true, false],
  [
    "a stranger's on every IPv4 address before ours on ::",
    [row("0.0.0.0", 8), row("::", 7)],
    false,
    true,
  ],
  ["another port's", [row("127.0.0.1", 7, 81)], false, false],
  ["ours on another address", [row("127.0.0.2", 7)], false, false],
];

test.each(cases)("a connection to loopback comes to us, or not: %s", (_, rows, four, six) => {
  const users = [7, 0];
  expect(belongsTo(rows, { place: { address: "127.0.0.1", port: 80 }, users })).toBe(four);
  expect(belongsTo(rows, { place: { address: "::1", port: 80 }, users })).toBe(six);
});

test("the kernel agrees on who answers where several listen on one port", () => {
  const rows = [row("0.0.0.0", 1), row("127.0.0.1", 2), row("::", 3)];
  expect(answering(rows, { address: "127.0.0.1", port: 80 })).toEqual([row("127.0.0.1", 2)]);
  expect(answering(rows, { address: "::1", port: 80 })).toEqual([row("::", 3)]);
});

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  test("what listens on a port is read from procfs, with its user", () => {
    const server = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } });
    try {
      expect(listenersOn(server.port)).toMatchObject([{ address: "::1", uid: own }]);
    } finally {
      server.stop(true);
    }
    expect(listenersOn(server.port)).toEqual([]);
    expect(listenersOn(80, { root: "/nowhere" })).toEqual([]);
  });

  test.skipIf(!canBeOther)(
    `another user on the port does not make a service ready ${asRoot}`,
    async () => {
      await using other = await otherListener();
      expect(listenersOn(other.port)).toMatchObject([{ uid: otherUid }]);
      const listening = procfsListening();
      expect(await listening.on(other.port)).toBe(false);
      expect(await listening.of([other.pid])).toEqual([{ port: other.port, uid: otherUid }]);
      expect(await procfsListening({ users: [otherUid] }).on(other.port)).toBe(true);
    },
  );
});
