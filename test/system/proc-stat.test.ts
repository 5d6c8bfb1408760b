import { expect, test } from "bun:test";
import { parseProcStat } from "../../src/system/proc-stat.ts";

const line = (comm: string) =>
  `4242 (${comm}) S 41 4242 4242 34816 4242 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200 18446744073709551615 1 2 140700000000001 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 93 94 95 140700000000048 140700000000049 140700000000049 140700000000051 0\n`;

test.each(["node", "next-server (v1", "a) S 1 2 3", ")", "", "tmux: server"])(
  "reads the fields behind the short name %p",
  (comm) => {
    expect(parseProcStat(line(comm))).toEqual({
      parent: 41,
      group: 4242,
      session: 4242,
      terminal: true,
      zombie: false,
      stopped: false,
      exitStatus: 0,
      cpuTicks: 11,
      pages: 200,
      startTicks: 98765,
      exec: "140700000000001 140700000000048",
      image: `140700000000001 140700000000048 140700000000049 ${comm}`,
      argumentOctets: 1,
      comm,
    });
  },
);

test("arguments that are elsewhere than right before the environment have no length that we know", () => {
  expect(parseProcStat(line("node").replace("0049 ", "0047 "))?.argumentOctets).toBeUndefined();
});

test("a process that ended and waits for its parent is told", () => {
  expect(parseProcStat(line("node").replace(") S", ") Z"))?.zombie).toBe(true);
});

test("text of another kind is nothing", () => {
  expect(parseProcStat("")).toBeUndefined();
  expect(parseProcStat("4242 (node) S")).toBeUndefined();
  expect(parseProcStat(") x (")).toBeUndefined();
});
