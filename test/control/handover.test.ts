/** The daemon that asks for the handover, and a socket that is not the daemon's at the other end. */
import { expect, test } from "bun:test";
import { mkdtempSync, openSync, closeSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askHandover, handoverName } from "../../src/control/found/handover.ts";
import type { Registration } from "../../src/control/found/registration.ts";
import { systemClock } from "../../src/system/clock.ts";
import { descriptorCalls } from "../../src/system/descriptors.ts";

test.if(process.platform === "linux")(
  "descriptors of one that proves nothing are closed, and nothing of it is taken",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "localhostess-handover-"));
    const calls = descriptorCalls(process.platform)!;
    const file = join(directory, "planted");
    const planted = openSync(file, "w");
    const socket = join(directory, "socket");
    const listener = Bun.listen({
      unix: socket,
      socket: {
        data(its) {
          const { fd } = its as unknown as { fd: number };
          const reply = { [handoverName]: { proof: "none", shells: [{}], goesOn: 1 } };
          const line = `${JSON.stringify({ ...reply, descriptors: 1 })}\n`;
          calls.send(fd, Buffer.from(line), [planted]);
        },
      },
    });
    const openOnes = (): number =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          // The folder's own, which is closed again.
          return false;
        }
      }).length;
    try {
      const found = { registration: { socket } as Registration, credential: "c" };
      const told = await askHandover(found as never, { clock: systemClock, id: "next" });
      expect(told).toEqual({ kind: "busy", shells: undefined });
      expect(openOnes()).toBe(1);
    } finally {
      listener.stop(true);
      closeSync(planted);
      rmSync(directory, { recursive: true });
    }
  },
);
