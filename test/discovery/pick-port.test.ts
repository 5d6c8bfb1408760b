import { expect, test } from "bun:test";
import { pickPort } from "../../src/discovery/pick-port.ts";

test.each<[string, [number, ...number[]], number]>([
  ["the only port", [3000], 3000],
  ["the lowest of several", [5173, 3000, 8080], 3000],
  ["no debugger, though it is lower", [9230, 9229, 9222, 5858], 9230],
  ["no port that the system hands out, though it is the only other", [60000, 5858, 49151], 49151],
  ["49151 is a port like any other, 49152 is not", [49152, 49151], 49151],
  ["the lowest of all, where only debuggers are left", [9229, 5858], 5858],
  ["the lowest of all, where only handed-out ports are left", [60000, 49152], 49152],
  ["the lowest of all, where both are left", [49152, 9229], 9229],
])("%s", (_, ports, picked) => {
  expect(pickPort(ports)).toBe(picked);
});
