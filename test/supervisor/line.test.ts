/** A line between two daemons: values both ways, whatever the pieces, until one of them is gone. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineAt } from "../../src/supervisor/line.ts";
import { descriptorCalls } from "../../src/system/descriptors.ts";
import { eventually } from "../support/eventually.ts";

const folder = mkdtempSync(join(tmpdir(), "localhostess-line-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A line, and the socket at its other end. */
async function connected(early = "") {
  const path = join(folder, crypto.randomUUID().slice(0, 8));
  const accepted = Promise.withResolvers<Bun.Socket<undefined>>();
  let said = "";
  const listener = Bun.listen({
    unix: path,
    socket: {
      open: (socket) => accepted.resolve(socket),
      data: (_socket, bytes) => {
        said += bytes.toString();
      },
    },
  });
  const descriptor = descriptorCalls(process.platform)!.connect(path)!;
  const line = await lineAt({ descriptor, early: Buffer.from(early) });
  const heard: unknown[] = [];
  let ends = 0;
  line.hear = (value) => void heard.push(value);
  line.ended = () => void ends++;
  const other = await accepted.promise;
  listener.stop();
  return { line, heard, other, ends: () => ends, said: () => said };
}

test("what came before anybody listened is heard first, and half a value is one with its other half", async () => {
  const its = await connected('{"a":1}\n{"b":');
  its.other.write("2}\n");
  its.other.write('{"c":"é');
  its.other.write('"}\n');
  await eventually("all is heard", () => its.heard.length === 3);
  expect(its.heard).toEqual([{ a: 1 }, { b: 2 }, { c: "é" }]);
  its.line.end();
});

test("a line that is no value is passed over", async () => {
  const its = await connected();
  its.other.write('nonsense\n{"a":1}\n');
  await eventually("the next one is heard", () => its.heard.length === 1);
  expect(its.heard).toEqual([{ a: 1 }]);
  its.line.end();
});

test("what is told is a line there, and its end is told once", async () => {
  const its = await connected();
  expect(its.line.tell({ a: "b" })).toBe(true);
  await eventually("it is there", () => its.said() === '{"a":"b"}\n');
  its.other.end();
  await eventually("its end is known", () => its.ends() === 1);
  expect(its.line.tell({})).toBe(false);
  its.line.end();
  expect(its.ends()).toBe(1);
});

test("one that is ended here is no news here", async () => {
  const its = await connected();
  its.line.end();
  its.line.end();
  expect(its.line.tell({})).toBe(false);
  expect(its.ends()).toBe(0);
});
