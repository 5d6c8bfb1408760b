import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hangUps } from "../../src/system/hang-up.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";

type Served = Bun.Socket & { readonly fd: number };

test("a peer that is gone is seen though nothing is read, and one that only sends no more is there", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lh-hang-up-"));
  const path = join(directory, "s.sock");
  const opened = Promise.withResolvers<Served>();
  const open = (socket: Bun.Socket): void => {
    socket.pause();
    opened.resolve(socket as Served);
  };
  const server = Bun.listen({ unix: path, socket: { open, data() {} } });
  try {
    const client = await connectRaw({ unix: path });
    const served = await opened.promise;
    const hasHungUp = hangUps();
    client.send("x");
    client.finish();
    expect(hasHungUp(served.fd)).toBe(false);
    client.reset();
    await eventually("it is seen", () => hasHungUp(served.fd));
  } finally {
    server.stop(true);
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a descriptor that is none has not hung up", () => {
  expect(hangUps()(-1)).toBe(false);
});
