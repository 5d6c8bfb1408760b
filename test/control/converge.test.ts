/** Standing down: whoever no longer owns the record hears of it once, and nobody else does. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { converge } from "../../src/control/found/converge.ts";
import {
  recordText,
  registrationPath,
  removeRegistration,
  writeRegistration,
} from "../../src/control/found/registration.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { registrationOf } from "../support/registration.ts";

let stateDirectory: string;
let clock: FakeClock;
let lost: number;
let ticks: number;
let cancel: () => void;

const record = registrationOf({ id: "ours", pid: process.pid });

beforeEach(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "localhostess-converge-"));
  await writeRegistration(stateDirectory, record);
  clock = new FakeClock();
  lost = ticks = 0;
  cancel = converge({
    stateDirectory,
    id: "ours",
    clock,
    tick: () => void ticks++,
    lost: () => void lost++,
  });
});

afterEach(async () => {
  cancel();
  expect(clock.waiting).toBe(0);
  await rm(stateDirectory, { recursive: true, force: true });
});

test("while the record is ours nothing is lost", () => {
  clock.advance(60_000);
  expect({ lost, ticks }).toEqual({ lost: 0, ticks: 60 });
});

test("another's record is seen within a second, and told once", async () => {
  await writeRegistration(stateDirectory, { ...record, id: "theirs" });
  clock.advance(1_000);
  expect(lost).toBe(1);
  clock.advance(60_000);
  expect(lost).toBe(1);
});

test("so is one that was removed, and one that cannot be understood", async () => {
  await removeRegistration(stateDirectory, "ours");
  clock.advance(1_000);
  expect(lost).toBe(1);
  cancel = converge({ stateDirectory, id: "ours", clock, lost: () => void lost++ });
  await writeFile(registrationPath(stateDirectory), "{", { mode: 0o600 });
  clock.advance(1_000);
  expect(lost).toBe(2);
});

test("the record back with our id before we look is ours", async () => {
  await writeRegistration(stateDirectory, { ...record, id: "theirs" });
  await writeRegistration(stateDirectory, record);
  clock.advance(1_000);
  expect(lost).toBe(0);
});

const changes: [string, () => Promise<void>][] = [
  ["another pid", () => writeRegistration(stateDirectory, { ...record, pid: 1 })],
  ["another address", () => writeRegistration(stateDirectory, { ...record, url: "http://x" })],
  ["nothing but our id", () => writeFile(registrationPath(stateDirectory), '{"id":"ours"}')],
  ["permissions for others to read", () => chmod(registrationPath(stateDirectory), 0o644)],
  ["permissions for others to write", () => chmod(registrationPath(stateDirectory), 0o666)],
];

test.each(changes)(
  "a record that was given %s under our id is ours to write again",
  async (_, change) => {
    cancel();
    let changed = 0;
    cancel = converge({
      stateDirectory,
      id: "ours",
      clock,
      text: () => recordText(record),
      tick: () => void ticks++,
      changed: () => void changed++,
      lost: () => void lost++,
    });
    clock.advance(1_000);
    expect({ changed, lost, ticks }).toEqual({ changed: 0, lost: 0, ticks: 1 });
    await change();
    clock.advance(1_000);
    expect({ changed, lost, ticks }).toEqual({ changed: 1, lost: 0, ticks: 2 });
  },
);
