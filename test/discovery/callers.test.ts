/** Who is at the other end of a connection, and what it may cost to know. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callerFinder } from "../../src/discovery/callers.ts";
import { hexPort } from "../../src/discovery/client-sockets.ts";
import { FakeClock } from "../support/fake-clock.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

type Row = { local: string; port: number; remote: string; inode: number };

function row({ local, port, remote, inode }: Row): string {
  return `   0: ${local}:${hexPort(port)} ${remote}:${hexPort(9090)} 01 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1\n`;
}

const v4 = "0100007F";
const v6 = "00000000000000000000000001000000";
const v4InV6 = "0000000000000000FFFF00000100007F";

function system(
  { tcp = [], tcp6 = [] }: { tcp?: Row[]; tcp6?: Row[] },
  processes: Record<number, number[]>,
  savings = 1,
) {
  const root = mkdtempSync(join(tmpdir(), "localhostess-callers-"));
  roots.push(root);
  mkdirSync(join(root, "net"));
  writeFileSync(join(root, "net/tcp"), `heading\n${tcp.map(row).join("")}`);
  writeFileSync(join(root, "net/tcp6"), `heading\n${tcp6.map(row).join("")}`);
  for (const [pid, inodes] of Object.entries(processes)) {
    mkdirSync(join(root, pid, "fd"), { recursive: true });
    writeFileSync(join(root, pid, "cmdline"), `program\0--number\0${pid}\0`);
    for (const [at, inode] of inodes.entries()) {
      symlinkSync(`socket:[${inode}]`, join(root, pid, "fd", `${at}`));
    }
  }
  const clock = new FakeClock();
  let now = 0;
  const finder = callerFinder({
    root,
    clock,
    // Every look at it takes a millisecond.
    now: () => now++,
    ports: () => [9090],
    savings,
  })!;
  return {
    finder,
    clock,
    root,
    later: (milliseconds: number) => {
      now += milliseconds;
      clock.advance(milliseconds);
    },
  };
}

const end = (remotePort: number, remoteAddress = "127.0.0.1") => ({ remoteAddress, remotePort });

test("IPv4, IPv6 and IPv4 in an IPv6 socket all lead to their processes", () => {
  const { finder, later } = system(
    {
      tcp: [{ local: v4, port: 5001, remote: v4, inode: 71 }],
      tcp6: [
        { local: v6, port: 5002, remote: v6, inode: 72 },
        { local: v4InV6, port: 5003, remote: v4InV6, inode: 73 },
        { local: v6, port: 5003, remote: v6, inode: 71 },
      ],
    },
    { 10: [71], 11: [1, 72], 12: [73] },
  );
  expect(finder.ask(end(5001)).caller).toEqual({ pid: 10, command: "program --number 10" });
  later(100_000);
  expect(finder.ask(end(5002, "::1")).caller?.pid).toBe(11);
  later(100_000);
  expect(finder.ask(end(5003)).caller?.pid).toBe(12);
});

test("a socket that nobody has, or that is not in the table, has no caller", () => {
  const { finder, later } = system(
    { tcp: [{ local: v4, port: 5001, remote: v4, inode: 0 }] },
    { 10: [71] },
  );
  expect(finder.ask(end(5001)).caller).toBeUndefined();
  later(100_000);
  expect(finder.ask(end(5002)).caller).toBeUndefined();
});

test("a look is paid for with a hundred times as long without one; those who wait are looked up together", () => {
  const { finder, later, clock } = system(
    {
      tcp: [5001, 5002, 5003].map((port) => ({ local: v4, port, remote: v4, inode: port })),
    },
    { 10: [5001, 5002], 11: [5003] },
  );
  expect(finder.ask(end(5001)).caller?.pid).toBe(10);
  const second = finder.ask(end(5002));
  const third = finder.ask(end(5003));
  expect(second.caller).toBeUndefined();
  expect(clock.waiting).toBe(1);
  later(10_000);
  expect(second.caller?.pid).toBe(10);
  expect(third.caller?.pid).toBe(11);
  expect(clock.waiting).toBe(0);
});

test("a quiet time saves up for clients that come one after another, and for no more than some", () => {
  const ports = Array.from({ length: 20 }, (_, at) => 5_001 + at);
  const { finder, later } = system(
    { tcp: ports.map((port) => ({ local: v4, port, remote: v4, inode: port })) },
    { 10: ports },
    10,
  );
  const found = (): number =>
    ports.map((port) => finder.ask(end(port)).caller).filter((caller) => caller !== undefined)
      .length;
  const first = found();
  expect(first).toBeGreaterThan(2);
  expect(first).toBeLessThan(10);
  finder.stop();
  later(1_000_000);
  expect(found()).toBe(first);
});

test("a connection that is gone before the look is not looked up: its port may be another's", () => {
  const { finder, later } = system(
    { tcp: [5001, 5002].map((port) => ({ local: v4, port, remote: v4, inode: port })) },
    { 10: [5001, 5002] },
  );
  finder.ask(end(5001));
  const gone = finder.ask(end(5002));
  finder.forget(gone);
  later(10_000);
  expect(gone.caller).toBeUndefined();
});

test("it leaves no timer when it is stopped", () => {
  const { finder, clock } = system({}, {});
  finder.ask(end(5001));
  finder.ask(end(5002));
  finder.stop();
  expect(clock.waiting).toBe(0);
  finder.ask(end(5003));
  expect(clock.waiting).toBe(0);
});

test("a system without the table has no finder", () => {
  expect(
    callerFinder({ root: "/nonexistent", clock: new FakeClock(), now: () => 0, ports: () => [] }),
  ).toBeUndefined();
});
