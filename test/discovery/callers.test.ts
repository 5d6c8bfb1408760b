/** Who is at the other end of a connection, and what it may cost to know. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callerFinder } from "../../src/discovery/callers.ts";
import { FakeClock } from "../support/fake-clock.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** Clients' ports and the inodes of their sockets, and which process has which inodes. */
function system(clients: Record<number, number>, processes: Record<number, number[]>, savings = 1) {
  const root = mkdtempSync(join(tmpdir(), "localhostess-callers-"));
  roots.push(root);
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
    peers: {
      find({ remotePort }) {
        const inode = clients[remotePort];
        return inode === undefined ? "none" : { uid: 1000, inode };
      },
    },
    savings,
  });
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

const end = (remotePort: number) => ({
  remoteAddress: "127.0.0.1",
  remotePort,
  localAddress: "127.0.0.1",
  localPort: 9090,
});

test("a client's socket leads to the process that has it", () => {
  const { finder, later } = system({ 5001: 71, 5002: 72 }, { 10: [71], 11: [1, 72] });
  expect(finder.ask(end(5001)).caller).toEqual({ pid: 10, command: "program --number 10" });
  later(100_000);
  expect(finder.ask(end(5002)).caller?.pid).toBe(11);
});

test("a socket that nobody has, or that is not there, has no caller", () => {
  const { finder, later } = system({ 5001: 0 }, { 10: [71, 0] });
  expect(finder.ask(end(5001)).caller).toBeUndefined();
  later(100_000);
  expect(finder.ask(end(5002)).caller).toBeUndefined();
});

test("a look is paid for with a hundred times as long without one; those who wait are looked up together", () => {
  const { finder, later, clock } = system(
    { 5001: 5001, 5002: 5002, 5003: 5003 },
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
    Object.fromEntries(ports.map((port) => [port, port])),
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
  const { finder, later } = system({ 5001: 5001, 5002: 5002 }, { 10: [5001, 5002] });
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
