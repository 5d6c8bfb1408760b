/** The conformance list of the local daemon, points 1 to 4, against real processes. */
import { expect, test } from "bun:test";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "../../src/control/found/connect.ts";
import { credentialPath } from "../../src/control/found/credential.ts";
import { registrationPath } from "../../src/control/found/registration.ts";
import { systemClock } from "../../src/system/clock.ts";
import { session } from "../cli/cli.ts";
import { daemonPlace, endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { running } from "../support/running.ts";
import { squatter } from "../support/squatter.ts";

/** Milliseconds: real daemons, on a machine that may be busy. */
const patience = 120_000;

test(
  "1. round-trip discovery: published, read back, probed, connected; owner-only; never partial",
  async () => {
    await using place = await daemonPlace({ apart: true });
    const path = registrationPath(place.directory);
    let over = false;
    const seen = new Set<string>();
    const reader = (async () => {
      while (!over) {
        const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
          expect(error.code).toBe("ENOENT");
          return undefined;
        });
        // Throws where it is not whole.
        if (text !== undefined) seen.add(JSON.parse(text).id);
        await new Promise(setImmediate);
      }
    })();
    const registration = await place.start();
    const connected = await connect({ stateDirectory: place.directory, clock: systemClock });
    expect(connected).toMatchObject({ kind: "connected", registration, started: false });
    for (const owned of [path, credentialPath(place.directory)]) {
      expect((await stat(owned)).mode & 0o777).toBe(0o600);
    }
    for (let launch = 0; launch < 2; launch++) {
      expect((await place.run("server", "restart")).code).toBe(0);
    }
    over = true;
    await reader;
    expect(seen).toContain(registration.id);
    expect(seen.size).toBe(3);
    // Which nobody but its owner reads either.
    expect((await stat(join(place.directory, "daemon.log"))).mode & 0o777).toBe(0o600);
  },
  patience,
);

test(
  "2. convergence: of two daemons started at once one is left, which owns the record and has the loser's clients",
  async () => {
    await using place = await daemonPlace({ apart: true });
    const ready = /http:\/\/localhost:(\d+)\/proxy\.pac/;
    const start = () =>
      session(["server", "start", "--port", "0"], { env: place.env, terminal: false });
    await using one = start();
    await using other = start();
    const both = [one, other];
    await Promise.all(
      both.map((its) => its.until((text) => ready.test(text) || text.includes("this one ends"))),
    );
    const clients = await Promise.all([place.find(), place.find()]);
    const loser = await Promise.race(both.map((its) => its.ended().then(() => its)));
    const survivor = both.find((its) => its !== loser)!;
    expect(await loser.ended()).toBe(0);
    // Longer than it takes a daemon to see that its record is another's.
    await Bun.sleep(1_500);
    expect(place.pids()).toEqual([survivor.pid]);
    for (const client of [...clients, await place.find()]) {
      const again = await connect({ stateDirectory: place.directory, clock: systemClock });
      expect(client.kind).not.toBe("absent");
      expect(again).toMatchObject({ kind: "connected", handshake: { pid: survivor.pid } });
    }
  },
  patience,
);

test(
  "3. stale handling: a dead port is as good as no record, and who took the port over fails by identity",
  async () => {
    await using place = await daemonPlace({ apart: true });
    const registration = await place.start();
    const credential = (await readFile(credentialPath(place.directory), "utf8")).trim();
    endNow(registration.pid);
    await eventually("the daemon ends", () => place.pids().length === 0);
    const status = async () => {
      const { code, out } = await place.run("server", "status", "--json");
      return { code, ...JSON.parse(out) };
    };
    expect(await status()).toMatchObject({ code: 1, running: false, probe: "dead" });
    {
      using stranger = squatter(Number(new URL(registration.url).port));
      expect(await status()).toMatchObject({ code: 1, running: false, probe: "stranger" });
      expect((await place.run("server", "stop")).code).toBe(0);
      const started = await place.run("server", "start", "--detach", "--port", "0");
      expect(started).toMatchObject({ code: 0 });
      expect(stranger.heard()).toContain("GET /v1/handshake ");
      expect(stranger.heard()).not.toContain(credential);
    }
    expect(await status()).toMatchObject({ code: 0, running: true, probe: "healthy" });
    // The port that people have in their URLs is the same again.
    expect((await status()).port).toBe(registration.port);
  },
  patience,
);

test(
  "4. protocol gate: a daemon that speaks another protocol is refused at connect, and told apart",
  async () => {
    await using place = await daemonPlace({ apart: true });
    const fixture = join(import.meta.dir, "fixtures/other-daemon.ts");
    const other = await running([process.execPath, fixture, place.directory, "localhostess/99"], {
      env: {},
      ready: /^published$/m,
    });
    try {
      expect(await connect({ stateDirectory: place.directory, clock: systemClock })).toMatchObject({
        kind: "none",
        found: { kind: "other-protocol", protocol: "localhostess/99" },
      });
      const { code, out } = await place.run("server", "status");
      expect(code).toBe(1);
      expect(out).toContain("it has another version, 99.0.0, and speaks localhostess/99");
      expect(out).toContain("localhostess server restart");
      // Incompatible is like stale: the newest one wins.
      expect((await place.run("server", "start", "--detach", "--port", "0")).code).toBe(0);
      expect((await place.find()).kind).toBe("healthy");
    } finally {
      await other.end();
    }
  },
  patience,
);
