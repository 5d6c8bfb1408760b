/** Every way out of a daemon's start and stop leaves nothing behind: no listener, no record, no socket. */
import { expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { credentialPath } from "../../src/control/found/credential.ts";
import { readRegistration } from "../../src/control/found/registration.ts";
import { startDaemon } from "../../src/daemon/daemon.ts";
import { daemonOptions as options, sockets } from "../support/daemon-options.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";

const leavesNothing = async (before: number): Promise<void> => {
  // Fewer, where one of an earlier test was still being closed.
  await eventually("its sockets are closed", () => sockets() <= before);
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

const place = (directory: string): string => join(directory, "registration.json");

onLinux(
  "one that has to be found and cannot write its record ends with the reason, and leaves nothing",
  async () => {
    const before = sockets();
    const its = await options({ mustBeFound: true });
    await mkdir(place(its.stateDirectory));
    await expect(startDaemon(its)).rejects.toThrow(
      `other commands cannot find this daemon: the record ${place(its.stateDirectory)} cannot be written: a folder is in its place`,
    );
    expect(existsSync(its.socket)).toBe(false);
    await leavesNothing(before);
  },
);

test("one that has to be found and can have no credential ends with the reason", async () => {
  const its = await options({ mustBeFound: true });
  await mkdir(credentialPath(its.stateDirectory));
  await expect(startDaemon(its)).rejects.toThrow("other commands cannot find this daemon: ");
});

test("a fault that passes while it starts keeps nobody from finding it", async () => {
  const its = await options({ mustBeFound: true });
  await mkdir(place(its.stateDirectory));
  const starting = startDaemon(its);
  // It has its doors, and is about to write the record.
  await eventually("it has a socket", () => existsSync(its.socket));
  await rmdir(place(its.stateDirectory));
  const daemon = (await starting)!;
  expect((await readRegistration(its.stateDirectory))?.port).toBe(daemon.port);
  await daemon.stop();
});

test("one in a terminal goes on, and can be found as soon as the fault is over", async () => {
  const notes: string[] = [];
  const its = await options({ onNote: (text) => notes.push(text) });
  await mkdir(place(its.stateDirectory));
  const daemon = (await startDaemon(its))!;
  expect(notes.join("\n")).toMatch(/the record .* cannot be written/);
  await rmdir(place(its.stateDirectory));
  await eventually("it is found", async () => {
    return (await readRegistration(its.stateDirectory))?.port === daemon.port;
  });
  await daemon.stop();
  expect(await readRegistration(its.stateDirectory)).toBeUndefined();
});

test("one in a terminal that could not be found goes where another is found meanwhile", async () => {
  const its = await options();
  await mkdir(place(its.stateDirectory));
  const daemon = (await startDaemon(its))!;
  await rmdir(place(its.stateDirectory));
  const next = (await startDaemon({ ...its, socket: `${its.socket}2`, mustBeFound: true }))!;
  try {
    const first = await Promise.race([daemon.dismissed, next.dismissed.then(() => "the next")]);
    expect(first).toContain("another was started");
  } finally {
    await Promise.all([daemon.stop(), next.stop()]);
  }
});

test("a record that somebody changes under its own id is written again, and the daemon goes on", async () => {
  const notes: string[] = [];
  const its = await options({ onNote: (text) => notes.push(text) });
  const daemon = (await startDaemon(its))!;
  const record = (await readRegistration(its.stateDirectory))!;
  await writeFile(place(its.stateDirectory), JSON.stringify({ ...record, pid: 1 }));
  await chmod(place(its.stateDirectory), 0o666);
  await eventually("it is as it was", async () => {
    return (await readRegistration(its.stateDirectory))?.pid === process.pid;
  });
  expect(statSync(place(its.stateDirectory)).mode & 0o777).toBe(0o600);
  await eventually("it is told", () => notes.join("\n").includes("changed by another program"));
  await daemon.stop();
});
