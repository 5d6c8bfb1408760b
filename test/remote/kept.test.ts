import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptRemotes } from "../../src/remote/kept.ts";
import { systemClock } from "../../src/system/clock.ts";

let folder: string;
let notes: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-kept-"));
  notes = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kept = () =>
  keptRemotes({
    stateDirectory: folder,
    clock: systemClock,
    note: (text) => notes.push(text),
  });

test("machines are there for the next daemon, in a file that nobody else reads", async () => {
  const its = kept();
  await its.read();
  its.set("box", "me@box");
  its.set("pi", "pi.lan");
  expect([its.delete("pi"), its.delete("pi")]).toEqual([true, false]);
  await its.flush();
  expect(statSync(join(folder, "remotes.json")).mode & 0o777).toBe(0o600);
  const next = kept();
  await next.read();
  expect([...next.all()]).toEqual([["box", "me@box"]]);
});

test("a file with anything that ssh must not get is put aside whole, and said", async () => {
  const bad = [
    "",
    "[]",
    "{}",
    '{"remotes":[]}',
    '{"remotes":{"box":{"host":"-oProxyCommand=touch /tmp/x"}}}',
    '{"remotes":{"a.b":{"host":"box"}}}',
    '{"remotes":{"box":{"host":7}}}',
    '{"remotes":{"box":null}}',
  ];
  for (const text of bad) {
    writeFileSync(join(folder, "remotes.json"), text);
    const its = kept();
    await its.read();
    expect([text, its.all().size]).toEqual([text, 0]);
  }
  expect(notes).toHaveLength(bad.length);
  expect(readdirSync(folder)).not.toContain("remotes.json");
});
