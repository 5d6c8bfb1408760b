import { expect, test } from "bun:test";
import { pickPort, portIn } from "../../src/routes/pick-port.ts";

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

test.each<[string, [number, ...number[]], number[], number]>([
  ["the one that PORT asked for, though another is lower", [3000, 5173], [5173], 5173],
  ["also where the system would hand it out", [3000, 50_000], [50_000], 50_000],
  ["a PORT that nobody listens on changes nothing", [3000, 5173], [8080], 3000],
  ["of two that were asked for, the lower", [3000, 4000, 5000], [5000, 4000], 4000],
])("%s", (_, ports, wanted, picked) => {
  expect(pickPort(ports, new Set(wanted))).toBe(picked);
});

test.each<[string | undefined, number | undefined]>([
  ["3000", 3000],
  ["65535", 65_535],
  ["65536", undefined],
  ["0", undefined],
  ["", undefined],
  ["/run/my.sock", undefined],
  [" 3000", undefined],
  [undefined, undefined],
])("PORT=%p is %p", (value, port) => {
  expect(portIn(value)).toBe(port);
});
