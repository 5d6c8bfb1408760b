/** Every way out of a daemon's start and stop leaves nothing behind: no listener, no record, no socket. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readRegistration } from "../../src/control/found/registration.ts";
import { startDaemon } from "../../src/daemon/daemon.ts";
import { daemonOptions as options, sockets } from "../support/daemon-options.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";

const leavesNothing = async (before: number): Promise<void> => {
  await eventually("its sockets are closed", () => sockets() === before);
};

const onLinux = test.skipIf(process.platform !== "linux");

onLinux(
  "a daemon that is stopped leaves no listener, record or socket; twice is harmless",
  async () => {
    const before = sockets();
    const its = await options();
    const daemon = (await startDaemon(its))!;
    expect((await readRegistration(its.stateDirectory))?.port).toBe(daemon.port);
    expect(existsSync(its.socket)).toBe(true);
    await Promise.all([daemon.stop(), daemon.stop()]);
    await daemon.stop();
    expect(await readRegistration(its.stateDirectory)).toBeUndefined();
    expect(existsSync(its.socket)).toBe(false);
    await leavesNothing(before);
  },
);

test("its port is free before stop() has returned its promise", async () => {
  const { port, stop } = (await startDaemon(await options()))!;
  const stopped = stop();
  const next = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  next.stop(true);
  await stopped;
});

onLinux("a daemon whose port a stranger has says so, and leaves nothing", async () => {
  const stranger = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    const before = sockets();
    const its = await options({ port: stranger.port });
    const failed = startDaemon(its);
    await expect(failed).rejects.toMatchObject({ code: "EADDRINUSE", port: stranger.port });
    expect(await readRegistration(its.stateDirectory)).toBeUndefined();
    expect(existsSync(its.socket)).toBe(false);
    await leavesNothing(before);
  } finally {
    stranger.stop(true);
  }
});

onLinux(
  "a daemon that is not to start beside another leaves the other alone, and nothing",
  async () => {
    const its = await options();
    const first = (await startDaemon(its))!;
    try {
      const before = sockets();
      expect(await startDaemon({ ...its, unlessRunning: true })).toBeUndefined();
      await leavesNothing(before);
      expect((await readRegistration(its.stateDirectory))?.port).toBe(first.port);
      expect(existsSync(its.socket)).toBe(true);
      using client = await connectRaw(first.port);
      client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expect((await client.message()).status).toBe(200);
    } finally {
      await first.stop();
    }
  },
);

test("a state directory that cannot be used is noted, and the proxy works without", async () => {
  const notes: string[] = [];
  const daemon = (await startDaemon({
    ...(await options({ onNote: (text) => notes.push(text) })),
    stateDirectory: "/dev/null/state",
  }))!;
  expect(notes.join("\n")).toContain("other commands cannot find this daemon");
  using client = await connectRaw(daemon.port);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect((await client.message()).status).toBe(200);
  await daemon.stop();
});
