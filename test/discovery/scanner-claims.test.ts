/** Claims in the scanner: named anew at once where they change, and news where anything of them is another. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Scan, Unowned } from "../../src/discovery/observation.ts";
import { type Changes, type Scanner, scanner } from "../../src/discovery/scanner.ts";
import type { Claim } from "../../src/routes/claim.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { type Listener, scanOf } from "./scan-of.ts";

const db: Claim = {
  name: "db",
  source: "given",
  because: "localhostess name gives it to port 5432",
  place: { kind: "port", port: 5432 },
};

let claims: readonly Claim[];
let scan: Scan;
let scans: number;
let news: Changes | undefined;
let subject: Scanner;

beforeEach(() => {
  claims = [];
  scan = scanOf([]);
  scans = 0;
  subject = scanner({
    source: {
      kind: "procfs",
      scan() {
        scans++;
        return Promise.resolve(scan);
      },
    },
    clock: new FakeClock(),
    ...{ hostName: "desk", wsl: false, ownPid: 1, uid: 0 },
    claims: () => claims,
    onServices(_, changes) {
      news = changes;
    },
  });
});
afterEach(() => subject.stop());

/** The names in each kind of change that the last look has brought. */
function told(): Record<"appeared" | "changed" | "gone", string[]> {
  const namesOf = (kind: keyof typeof nothing) => (news?.[kind] ?? []).map(({ name }) => name);
  return { appeared: namesOf("appeared"), changed: namesOf("changed"), gone: namesOf("gone") };
}

const nothing = { appeared: [], changed: [], gone: [] };
const byUser = (uid: number): Unowned => ({ address: "127.0.0.1", port: 5432, uid });
const listener: Listener = { pid: 7, listens: ["127.0.0.1 5432"] };

async function look(its: Scan): Promise<void> {
  scan = its;
  await subject.refresh({ atOnce: true });
}

test("claims that have changed are heeded without another scan", async () => {
  await look(scanOf([listener]));
  const before = scans;
  claims = [db];
  subject.rename();
  expect(told()).toEqual({ ...nothing, appeared: ["db"] });
  claims = [];
  subject.rename();
  expect(told()).toEqual({ ...nothing, gone: ["db"] });
  expect(scans).toBe(before);
});

test("a name that waits is told as such, and is no service", async () => {
  claims = [db];
  await look(scanOf([]));
  expect(subject.services()).toEqual([]);
  expect(subject.waiting()).toEqual([
    {
      name: "db",
      source: "given",
      because: "localhostess name gives it to port 5432",
      kind: "waits",
      why: "nothing listens on port 5432",
    },
  ]);
  await look(scanOf([listener]));
  expect(subject.waiting()).toEqual([]);
  expect(told()).toEqual({ ...nothing, appeared: ["db"] });
});

test("another user at the port is another server, whose name it is now", async () => {
  claims = [db];
  await look(scanOf([], [byUser(105)]));
  await look(scanOf([], [byUser(105)]));
  expect(told()).toEqual(nothing);
  await look(scanOf([], [byUser(106)]));
  expect(told()).toEqual({ ...nothing, changed: ["db"] });
  expect(subject.services()[0]!.endpoint.owners).toEqual([106]);
});

test("a container that was started again is another server, at the same port", async () => {
  const container = (startedAt: number): Claim => ({ ...db, source: "container", startedAt });
  claims = [container(1)];
  await look(scanOf([listener]));
  claims = [container(2)];
  await look(scanOf([listener]));
  expect(told()).toEqual({ ...nothing, changed: ["db"] });
});

test("a service without a process is there as long as its claim is", async () => {
  claims = [{ ...db, place: { kind: "socket", path: "/run/db.sock" } }];
  await look(scanOf([]));
  expect(subject.stillThere(subject.services()[0]!)).toBe(true);
});
