import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptorLimit, descriptorRoom } from "../../src/system/descriptor-room.ts";

const directory = mkdtempSync(join(tmpdir(), "localhostess-room-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("connections to servers stop before new clients do, and both before the limit", () => {
  let free = 0;
  const room = descriptorRoom({ limit: 1_024, lowestFree: () => free });
  const states = [700, 767, 768, 895, 896, 1_023].map((number) => {
    free = number;
    room.note(number);
    return [room.forServers(), room.forClients()];
  });
  expect(states).toEqual([
    [true, true],
    [true, true],
    [false, true],
    [false, true],
    [false, false],
    [false, false],
  ]);
});

test("descriptors that were closed since are seen", () => {
  const room = descriptorRoom({ limit: 1_024, lowestFree: () => 10 });
  room.note(1_000);
  expect(room.forServers()).toBe(true);
});

test("a limit of a million is not used up", () => {
  let free = 24_001;
  const room = descriptorRoom({ limit: 1_000_000, lowestFree: () => free });
  room.note(free);
  expect(room.forServers()).toBe(false);
  free = 23_999;
  expect(room.forServers()).toBe(true);
});

test("by the process itself: the lowest free descriptor", () => {
  const descriptor = openSync("/dev/null", "r");
  closeSync(descriptor);
  const room = descriptorRoom({ limit: Math.ceil((descriptor + 1) / (3 / 4)) });
  room.note(1_000_000);
  expect(room.forServers()).toBe(true);
  const held = openSync("/dev/null", "r");
  const more = openSync("/dev/null", "r");
  room.note(1_000_000);
  expect(room.forServers()).toBe(false);
  closeSync(held);
  closeSync(more);
});

test.each([
  ["Max open files            1024                 1048576              files\n", 1_024],
  ["Max open files            unlimited            unlimited            files\n", 48_000],
  ["Max processes             10                   10                   processes\n", 1_024],
])("the limit of %p is %d", (text, limit) => {
  const file = join(directory, "limits");
  writeFileSync(
    file,
    `Limit                     Soft Limit           Hard Limit           Units\n${text}`,
  );
  expect(descriptorLimit(file)).toBe(limit);
});

test("without /proc", () => {
  expect(descriptorLimit(join(directory, "none"))).toBe(10_240);
});
