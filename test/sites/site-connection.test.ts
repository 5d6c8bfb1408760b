import { expect, test } from "bun:test";
import type { Link, LinkHandler } from "../../src/link/link.ts";
import { nobody } from "../../src/link/link.ts";
import { SiteConnection } from "../../src/sites/site-connection.ts";
import type { InsideFile } from "../../src/system/folder-door.ts";
import { systemClock } from "../../src/system/clock.ts";

/** A peer that takes one write at a time. */
class SlowLink implements Partial<Link> {
  handler: LinkHandler = nobody;
  readonly paused = false;
  pending = 0;
  total = 0;
  /** Writes that did not wait for the one before. */
  early = 0;

  write(_bytes: Uint8Array, from: number, to: number): boolean {
    if (this.pending > 0) this.early++;
    this.pending = to - from;
    this.total += to - from;
    setImmediate(() => {
      this.pending = 0;
      this.handler.drained();
    });
    return false;
  }

  halfClose(): void {}
  close(): void {
    this.handler.closed(undefined);
  }
  abort(): void {
    this.handler.closed(undefined);
  }
  resume(): void {}
  pause(): void {}
}

test("no piece of a file is read before the reader has taken the one before it", async () => {
  const size = 3_000_000;
  let isClosed = false;
  const file = {
    read: async (_buffer: Uint8Array, { count }: { count: number }) => count,
    close() {
      isClosed = true;
    },
  } as unknown as InsideFile;
  const link = new SlowLink();
  const connection = new SiteConnection(link as unknown as Link, {
    clock: systemClock,
    answer: async () => ({
      status: 200,
      fields: [],
      content: { segments: [{ file, from: 0, to: size }], length: size },
      close: () => file.close(),
    }),
    fault(error) {
      throw error;
    },
  });
  link.handler = connection;
  connection.data(Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  connection.ended();
  await connection.gone;
  expect(link.early).toBe(0);
  expect(link.total).toBeGreaterThan(size);
  expect(isClosed).toBe(true);
});
