/** A daemon that replaces another has its listening sockets: nothing is refused, and whatever breaks, one serves. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { oneOffLabels } from "../../src/containers/runs/one-off-clients.ts";
import { findDaemon } from "../../src/control/found/connect.ts";
import { converse } from "../../src/control/found/conversation.ts";
import { askHandover, type Handed } from "../../src/control/found/handover.ts";
import {
  readRegistration,
  type Registration,
  writeRegistration,
} from "../../src/control/found/registration.ts";
import { type Daemon, type DaemonOptions, startDaemon } from "../../src/daemon/daemon.ts";
import { systemClock } from "../../src/system/clock.ts";
import { playedEngine } from "../containers/runs/played-engine.ts";
import { daemonOptions, sockets } from "../support/daemon-options.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";

// Daemons start and end here, on a machine that may be busy.
setDefaultTimeout(60_000);

const running = new Set<Daemon>();
afterEach(async () => {
  await Promise.all([...running].map((daemon) => daemon.stop()));
  running.clear();
});

const handsOver = test.skipIf(process.platform !== "linux");
const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

async function start(options: DaemonOptions): Promise<Daemon> {
  const daemon = await startDaemon(options);
  if (daemon === undefined) throw new Error("another daemon goes on");
  running.add(daemon);
  return daemon;
}

/** Its connections have ended, and it is gone, as the program does it. */
async function ends(daemon: Daemon): Promise<string> {
  const why = await daemon.dismissed;
  await daemon.stop();
  running.delete(daemon);
  return why;
}

const recordOf = async ({ stateDirectory }: DaemonOptions): Promise<Registration> =>
  (await readRegistration(stateDirectory))!;

async function answers(port: number, connection: string | undefined = undefined): Promise<void> {
  using client = await connectRaw(port);
  client.send(request);
  const answer = await client.message();
  expect(answer.status).toBe(200);
  expect(answer.all("connection")).toEqual(connection === undefined ? [] : [connection]);
  client.close();
}

/** A conversation as the next daemon begins it. */
async function handedBy(options: DaemonOptions, id = "next"): Promise<Handed> {
  const found = await findDaemon(options.stateDirectory, { clock: systemClock });
  if (found.kind !== "healthy") throw new Error(found.kind);
  const inherited = await askHandover(found, { clock: systemClock, id });
  if (inherited.kind !== "handed") throw new Error(inherited.kind);
  return inherited;
}

handsOver(
  "the next daemon has every port, the API's and the socket of the one before",
  async () => {
    const its = await daemonOptions({
      extraPorts: [
        { scheme: "http", port: 0, shown: true },
        { scheme: "https", port: 0, shown: true },
      ],
    });
    const next: (number | undefined)[] = [];
    const first = await start({ ...its, onHandedOver: (pid) => next.push(pid) });
    const before = await recordOf(its);
    const { ino } = lstatSync(its.socket);
    const notes: string[] = [];
    const second = await start({ ...its, onNote: (text) => notes.push(text) });
    const after = await recordOf(its);
    expect(notes.filter((text) => text.includes("handed over"))).toEqual([]);
    expect(second.ports).toEqual(first.ports);
    expect(second.ports).toHaveLength(3);
    expect([first.isHanded, second.isHanded]).toEqual([false, true]);
    // Whoever follows the daemon's process is told once nothing can go back any more.
    await eventually("the trial is over", () => next.length > 0);
    expect(next).toEqual([process.pid]);
    expect(second.urlPorts).toEqual(first.urlPorts);
    expect(after).toEqual({ ...before, id: after.id, startedAt: after.startedAt });
    expect(after.id).not.toBe(before.id);
    expect(await ends(first)).toContain("another daemon has taken over");
    // All that was shared is the second's alone, and still there.
    expect(lstatSync(its.socket).ino).toBe(ino);
    for (const port of second.ports) await answers(port);
    const found = await findDaemon(its.stateDirectory, { clock: systemClock });
    expect(found).toMatchObject({ kind: "healthy", registration: { id: after.id } });
    expect((await fetch(`${after.url}/v1/handshake`)).status).toBe(401);
  },
);

handsOver(
  "a container that a client waits for goes on under the next daemon, which removes it once the client is gone",
  async () => {
    const its = await daemonOptions();
    using engine = playedEngine();
    const run = "0123456789abcdef";
    const owner = new Bun.CryptoHasher("sha256").update(its.stateDirectory).digest("hex");
    const labels = oneOffLabels({ run, owner: owner.slice(0, 16) });
    engine.has({ labels, running: true });
    const guarded = async () => {
      const heard = Promise.withResolvers<unknown>();
      const over = Promise.withResolvers<void>();
      const talk = converse(
        its.socket,
        { GuardContainer: { socket: engine.path, run } },
        { hear: heard.resolve, ended: () => over.resolve() },
      );
      expect(await heard.promise).toEqual({ guarded: run });
      return { over: over.promise, end: () => talk.end() };
    };
    const first = await start(its);
    const before = await guarded();
    await start(its);
    await before.over;
    const after = await guarded();
    await ends(first);
    expect(engine.containers.size).toBe(1);
    after.end();
    await eventually("it is removed", () => engine.containers.size === 0);
  },
);

handsOver(
  "a kept connection is answered once more, with Connection: close, and then its daemon ends",
  async () => {
    const its = await daemonOptions();
    const first = await start(its);
    using client = await connectRaw(first.port);
    client.send(request);
    expect((await client.message()).all("connection")).toEqual([]);
    // At once, as it would end when it is idle for long on a busy machine.
    void first.dismissed.then(() => client.send(request));
    const second = await start(its);
    await answers(second.port);
    const last = await client.message();
    expect([last.status, last.one("connection")]).toEqual([200, "close"]);
    expect(await client.rest()).toBe("");
    client.close();
    await ends(first);
  },
);

handsOver("connections that come while a daemon takes over are all answered", async () => {
  const its = await daemonOptions();
  let daemon = await start(its);
  const { port } = daemon;
  let isOver = false;
  let count = 0;
  const clients = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      await answersAny(port);
      count += 1;
    }
  });
  for (let round = 0; round < 5; round++) {
    const next = await start(its);
    await ends(daemon);
    daemon = next;
  }
  isOver = true;
  await Promise.all(clients);
  expect(count).toBeGreaterThan(0);
});

async function answersAny(port: number): Promise<void> {
  using client = await connectRaw(port);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  expect((await client.message()).status).toBe(200);
}

handsOver("other ports of the next daemon are its own, and the old ones are free", async () => {
  const its = await daemonOptions();
  const first = await start(its);
  const free = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = free;
  free.stop(true);
  const second = await start({ ...its, port });
  expect(second.port).toBe(port);
  await ends(first);
  await answers(port);
  Bun.listen({ hostname: "127.0.0.1", port: first.port, socket: { data() {} } }).stop(true);
});

handsOver.each<[what: string, at: "asked" | "published"]>([
  ["that goes away when it has the sockets", "asked"],
  ["that goes away when its record is written", "published"],
])("a next daemon %s changes nothing", async (_what, at) => {
  const its = await daemonOptions();
  const daemon = await start(its);
  const before = await recordOf(its);
  const open = sockets();
  const handed = await handedBy(its);
  expect(handed.sockets.map(({ place }) => place.as).sort()).toEqual([
    "api",
    "api",
    "ipc",
    "main",
    "main",
  ]);
  if (at === "published") await writeRegistration(its.stateDirectory, { ...before, id: "next" });
  await answers(daemon.port);
  handed.close();
  await eventually("the record is the daemon's again", async () => {
    return (await recordOf(its))?.id === before.id;
  });
  await eventually("nothing is left of it", () => sockets() === open);
  await answers(daemon.port);
  // And another one may come.
  const next = await start(its);
  expect(next.port).toBe(daemon.port);
  await ends(daemon);
});

handsOver("a record that a third daemon has written is left alone", async () => {
  const its = await daemonOptions();
  const daemon = await start(its);
  const before = await recordOf(its);
  const handed = await handedBy(its);
  await writeRegistration(its.stateDirectory, { ...before, id: "third" });
  handed.close();
  expect(await ends(daemon)).toContain("another was started");
  expect((await recordOf(its)).id).toBe("third");
});

handsOver("a daemon whose record goes while it hands over does not go with it", async () => {
  const its = await daemonOptions();
  const daemon = await start(its);
  const handed = await handedBy(its);
  await writeRegistration(its.stateDirectory, { ...(await recordOf(its)), id: "next" });
  // As long as the watch over the record takes to see it.
  let isGone = false;
  void daemon.dismissed.then(() => {
    isGone = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  expect(isGone).toBe(false);
  handed.close();
});

handsOver("one at a time: who comes second is told to wait, and is then heard", async () => {
  const its = await daemonOptions();
  await start(its);
  const found = await findDaemon(its.stateDirectory, { clock: systemClock });
  if (found.kind !== "healthy") throw new Error(found.kind);
  const asked = { clock: systemClock, id: "second" };
  const first = await handedBy(its);
  const told = await askHandover(found, asked);
  // As it may be unable to wait for long enough.
  expect(told).toEqual({ kind: "busy", shells: first.shells });
  expect(first.shells).toBeDefined();
  first.close();
  await eventually("it is heard", async () => {
    const second = await askHandover(found, asked);
    if (second.kind === "handed") second.close();
    return second.kind === "handed";
  });
});

handsOver(
  "who comes while the record is another's than the one who answers asks, and is told to wait",
  async () => {
    const its = await daemonOptions();
    const daemon = await start(its);
    const before = await recordOf(its);
    const credential = readFileSync(join(its.stateDirectory, "credential"), "utf8").trim();
    const first = await handedBy(its);
    await writeRegistration(its.stateDirectory, { ...before, id: "next" });
    const found = await findDaemon(its.stateDirectory, { clock: systemClock });
    if (found.kind !== "another") throw new Error(found.kind);
    const asked = { clock: systemClock, id: "second" };
    const { handshake } = found;
    const told = await askHandover({ registration: handshake, credential }, asked);
    expect(told.kind).toBe("busy");
    first.close();
    const second = await start(its);
    expect(second.port).toBe(daemon.port);
    expect(await ends(daemon)).toContain("another daemon has taken over");
    // So it is where the one that answers is another than it was a moment ago.
    expect(await askHandover({ registration: handshake, credential }, asked)).toEqual({
      kind: "busy",
      shells: undefined,
    });
  },
);

handsOver(
  "of two that are started at once one serves, at the same port, and the others end",
  async () => {
    const its = await daemonOptions();
    const first = await start(its);
    const both = await Promise.all([startDaemon(its), startDaemon(its)]);
    const started = both.filter((daemon) => daemon !== undefined);
    for (const daemon of started) running.add(daemon);
    await ends(first);
    const { id } = await recordOf(its);
    for (const daemon of started) expect(daemon.port).toBe(first.port);
    await answers(first.port);
    const found = await findDaemon(its.stateDirectory, { clock: systemClock });
    expect(found).toMatchObject({ kind: "healthy", registration: { id } });
    const last = started.find((daemon) => !daemon.isReplaced)!;
    for (const daemon of started) if (daemon !== last) await ends(daemon);
    await answers(first.port);
  },
);

handsOver(
  "a daemon that is told of everything and does not take it leaves the sockets open",
  async () => {
    const its = await daemonOptions();
    const daemon = await start(its);
    const handed = await handedBy(its);
    // Closed by the one that got them: the descriptors of the daemon are others.
    for (const { descriptor } of handed.sockets.splice(0)) closeSync(descriptor);
    handed.close();
    await answers(daemon.port);
  },
);

handsOver(
  "a next daemon that cannot have its port leaves everything to the one before",
  async () => {
    const its = await daemonOptions();
    const daemon = await start(its);
    const before = await recordOf(its);
    const { ino } = lstatSync(its.socket);
    // Taken at one of the two addresses, which is seen when it listens.
    const stranger = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } });
    try {
      const next = startDaemon({ ...its, port: stranger.port });
      await expect(next).rejects.toMatchObject({ code: "EADDRINUSE", port: stranger.port });
    } finally {
      stranger.stop(true);
    }
    expect(lstatSync(its.socket).ino).toBe(ino);
    await eventually("the record is the daemon's again", async () => {
      return (await recordOf(its))?.id === before.id;
    });
    await answers(daemon.port);
    const found = await findDaemon(its.stateDirectory, { clock: systemClock });
    expect(found).toMatchObject({ kind: "healthy", registration: { id: before.id } });
  },
);

handsOver("a kept connection to the API is answered once more, and its streams end", async () => {
  const its = await daemonOptions();
  const first = await start(its);
  const { url } = await recordOf(its);
  const { host, port } = new URL(url);
  const credential = readFileSync(join(its.stateDirectory, "credential"), "utf8").trim();
  const asked = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${credential}\r\n\r\n`;
  using kept = await connectRaw(Number(port));
  kept.send(asked("/v1/ping"));
  expect((await kept.message()).status).toBe(200);
  using followed = await connectRaw(Number(port));
  followed.send(asked("/v1/events"));
  await followed.until("\r\n\r\n");
  void first.dismissed.then(() => kept.send(asked("/v1/ping")));
  await start(its);
  await followed.rest();
  followed.close();
  const last = await kept.message();
  expect([last.status, last.one("connection")]).toEqual([200, "close"]);
  expect(await kept.rest()).toBe("");
  kept.close();
  await ends(first);
});

// --- on trial

/** All of it, as the next daemon has it once it accepts. */
async function lentTo(options: DaemonOptions): Promise<Handed> {
  const handed = await handedBy(options);
  for (let batch = 0; ; batch++) {
    const answer = await handed.services(batch);
    for (const descriptor of answer!.descriptors) closeSync(descriptor);
    if ((answer!.value as { services: unknown }).services === null) break;
  }
  const trial = { pid: process.pid, version: "9.9.9" };
  expect(await handed.done({ services: true, trial })).toEqual({ onTrial: true });
  return handed;
}

handsOver("a next daemon that fails gives everything back, and another may come", async () => {
  const notes: string[] = [];
  const its = await daemonOptions({ trial: 60_000, onNote: (text) => notes.push(text) });
  const daemon = await start(its);
  const before = await recordOf(its);
  const { ino } = lstatSync(its.socket);
  const open = sockets();
  const handed = await lentTo(its);
  await writeRegistration(its.stateDirectory, { ...before, id: "next" });
  // Whoever comes now waits in the queue, which the next daemon has as well.
  const waiting = answers(daemon.port);
  handed.close();
  await waiting;
  await eventually("the record is the daemon's again", async () => {
    return (await recordOf(its))?.id === before.id;
  });
  expect(await recordOf(its)).toEqual(before);
  expect(lstatSync(its.socket).ino).toBe(ino);
  expect(notes.filter((text) => text.includes("version 9.9.9) failed"))).toHaveLength(1);
  const found = await findDaemon(its.stateDirectory, { clock: systemClock });
  expect(found).toMatchObject({ kind: "healthy", by: "socket", registration: { id: before.id } });
  await eventually("nothing is left of it", () => sockets() === open);
  const next = await start(its);
  expect(next.port).toBe(daemon.port);
  // Told to end, it does not wait for the trial's end.
  await daemon.stop();
  running.delete(daemon);
  expect(daemon.isReplaced).toBe(true);
  await answers(next.port);
});

handsOver("a socket that a failing daemon has removed is there again", async () => {
  const its = await daemonOptions({ trial: 60_000 });
  const daemon = await start(its);
  const before = await recordOf(its);
  const handed = await lentTo(its);
  rmSync(its.socket);
  rmSync(join(its.stateDirectory, "registration.json"), { force: true });
  handed.close();
  await eventually("it is found", async () => {
    const found = await findDaemon(its.stateDirectory, { clock: systemClock });
    return found.kind === "healthy" && found.by === "socket";
  });
  expect(await recordOf(its)).toEqual(before);
  await answers(daemon.port);
});
