import { expect, test } from "bun:test";
import { configurationOf, refusedSettings } from "../../src/stores/postgres/settings.ts";

test("settings become lines, with every value quoted", () => {
  const settings = { shared_buffers: "256MB", log_line_prefix: "%m it's \\", "a.b": "" };
  expect(refusedSettings(settings)).toEqual([]);
  expect(configurationOf(settings).split("\n").slice(1)).toEqual([
    "shared_buffers = '256MB'",
    "log_line_prefix = '%m it''s \\\\'",
    "a.b = ''",
    "",
  ]);
});

test("a value cannot become a second line, and a name cannot become a value", () => {
  for (const settings of [
    { work_mem: "1MB'\nlisten_addresses = '*" },
    { work_mem: "1MB\rx" },
    { work_mem: "1MB\0" },
    { "work_mem = 1 #": "x" },
    { "listen_addresses\n": "x" },
    { "": "x" },
  ]) {
    expect(refusedSettings(settings)).toHaveLength(1);
  }
});

test("settings by which the server is found, read or logged are refused with the reason, in any case", () => {
  const settings = { LISTEN_ADDRESSES: "*", port: "1", include: "/etc/passwd", work_mem: "1MB" };
  expect(refusedSettings(settings)).toEqual([
    "LISTEN_ADDRESSES cannot be set: it listens on this machine alone",
    "port cannot be set: write port beside type",
    "include cannot be set: write the settings themselves",
  ]);
});
