/** Bytes for a descriptor whose reader is slow, or gone. */
import { expect, test } from "bun:test";
import { closeSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { PatientWriter } from "../../src/system/patient-writer.ts";

/** A pipe by name, and both of its ends. */
function pipe(): { read: number; write: number; remove(): void } {
  const path = join(tmpdir(), `lh-pipe-${crypto.randomUUID()}`);
  Bun.spawnSync(["mkfifo", path]);
  // Linux opens both ends at once, so that neither waits for the other; and the way in never blocks.
  const both = openSync(path, "r+");
  const write = openSync(path, "w");
  const read = openSync(path, "r");
  closeSync(both);
  return { read, write, remove: () => rmSync(path, { force: true }) };
}

test.skipIf(process.platform !== "linux")(
  "whoever writes too much is told to wait, and all of it arrives in order",
  async () => {
    const { read, write, remove } = pipe();
    const room = Promise.withResolvers<void>();
    const its = new PatientWriter(write, { clock: systemClock, onRoom: room.resolve });
    const pieces = Array.from({ length: 40 }, (_, at) => Buffer.alloc(20_000, `${at % 10}`));
    const taken = pieces.map((bytes) => its.write(bytes));
    expect(taken.slice(0, 13)).toEqual(Array.from({ length: 13 }, () => true));
    expect(taken.slice(13)).toEqual(Array.from({ length: 27 }, () => false));
    void its.flushed().then(() => closeSync(write));
    const arrived = Buffer.from(await new Response(Bun.file(read).stream()).arrayBuffer());
    await room.promise;
    expect(arrived.equals(Buffer.concat(pieces))).toBe(true);
    expect(its.isDeaf).toBe(false);
    remove();
  },
);

test.skipIf(process.platform !== "linux")("a reader that has gone is no fault", async () => {
  const { read, write, remove } = pipe();
  const its = new PatientWriter(write, { clock: systemClock, onRoom() {} });
  closeSync(read);
  its.write(Buffer.alloc(1_000_000));
  its.write(Buffer.from("more"));
  await its.flushed();
  expect(its.isDeaf).toBe(true);
  closeSync(write);
  remove();
});
