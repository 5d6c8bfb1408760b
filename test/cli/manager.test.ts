/** What systemd hears of the daemon, and what becomes of a process whose daemon was replaced. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartedBy } from "../../src/boot/started-by.ts";
import { Manager } from "../../src/cli/daemon/manager.ts";
import { minding } from "../../src/cli/daemon/minding.ts";
import type { Settings } from "../../src/cli/shared/settings.ts";
import type { StopSignal, World } from "../../src/cli/shared/world.ts";
import { writeRegistration } from "../../src/control/found/registration.ts";
import type { Daemon } from "../../src/daemon/daemon.ts";
import { type Datagrams, datagrams } from "../../src/system/datagrams.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { registrationOf } from "../support/registration.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-manager-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe.skipIf(process.platform !== "linux")("systemd", () => {
  let heard: string[];
  let socket: Datagrams;
  const unit = (name: string) => ({ name, path: `/app.slice/${name}` });

  beforeEach(async () => {
    heard = [];
    const hear = (text: string | Uint8Array) => void heard.push(Buffer.from(text).toString());
    socket = await datagrams(join(directory, "notify"), { platform: "linux", hear });
  });

  afterEach(() => socket.close());

  let sent: unknown[];
  beforeEach(() => {
    sent = [];
  });

  function manager({
    env = {},
    units = {},
    by,
  }: {
    env?: World["env"];
    units?: Record<string, string>;
    by?: StartedBy;
  }) {
    const world = { env, platform: "linux" } as World;
    return new Manager({
      ...{ world, settings: {} as Settings, background: true, note() {}, ignoreSignals() {} },
      unit: (pid) => (units[pid] === undefined ? undefined : unit(units[pid])),
      minds: { daemonPid: async () => 99, signal: (...its) => void sent.push(its) },
      ...(by === undefined ? {} : { by }),
    });
  }

  const env = () => ({ NOTIFY_SOCKET: join(directory, "notify") });
  const daemon = (its: Partial<Daemon>) => ({ port: 9090, isHanded: false, ...its }) as Daemon;

  test("hears when the daemon answers, and when it stops", async () => {
    const its = manager({ env: env() });
    its.ready(daemon({ predecessor: undefined }));
    its.stopping();
    await eventually("both are heard", () => heard.length === 2);
    expect(heard).toEqual(["READY=1\nSTATUS=answers on port 9090", "STOPPING=1\nSTATUS=stopping"]);
  });

  test("hears which process to follow from the one that lets go, before that can end", async () => {
    const units = { self: "localhostess.service", 77: "localhostess.service" };
    const its = manager({ env: env(), units });
    its.handedOver(77);
    await eventually("it is heard", () => heard.length === 1);
    expect(heard).toEqual(["MAINPID=77\nSTATUS=pid 77 has taken over"]);
    const next = manager({ env: env(), units });
    next.ready(daemon({ predecessor: { pid: 1 }, isHanded: true }));
    await eventually("READY", () => heard.length === 2);
    expect(heard[1]).not.toContain("MAINPID");
  });

  test("hears of a daemon that has replaced one without its help from that daemon", async () => {
    manager({ env: env() }).ready(daemon({ predecessor: { pid: 5 } }));
    await eventually("it is heard", () => heard.length === 1);
    expect(heard[0]).toStartWith(`MAINPID=${process.pid}\nREADY=1\n`);
  });

  test("is told of nobody outside of the unit; the process ends, and is no keeper in its place", async () => {
    const units = { self: "localhostess.service", 78: "another.service" };
    const its = manager({ env: env(), units });
    for (const pid of [78, 79, undefined]) its.handedOver(pid);
    let kept = 0;
    const left = daemon({ isReplaced: true, keeps: 3, kept: async () => void kept++ });
    expect([await its.after(left), kept]).toEqual([0, 0]);
    its.stopping();
    await eventually("the end is heard", () => heard.length > 0);
    expect(heard.join()).not.toContain("MAINPID");
  });

  test("ends the daemon by a signal to the process that it follows, also while the next one is on trial", async () => {
    const units = {
      self: "localhostess.service",
      77: "localhostess.service",
      78: "another.service",
    };
    const its = manager({ env: env(), units });
    its.handedOver(77);
    // Whoever sends another one to a process that only ends means that process.
    expect([true, false].map((isFirst) => its.passOn("SIGTERM", { isFirst }))).toEqual([
      true,
      false,
    ]);
    its.handedOver(78);
    expect(its.passOn("SIGTERM", { isFirst: true })).toBe(false);
    await eventually("it is sent", () => sent.length > 0);
    expect(sent).toEqual([[77, "SIGTERM"]]);
  });

  test("is not there, and whoever waits for this process gets every signal to the daemon that runs", async () => {
    for (const by of ["launchd", "container", "init"] as const) {
      const its = manager({ by });
      its.handedOver(undefined);
      expect([true, false].map((isFirst) => its.passOn("SIGINT", { isFirst }))).toEqual([
        true,
        true,
      ]);
    }
    const its = manager({ by: "anybody" });
    its.handedOver(77);
    expect(its.passOn("SIGINT", { isFirst: true })).toBe(false);
    await eventually("all are sent", () => sent.length === 6);
    expect(sent).toEqual(Array.from({ length: 6 }, () => [99, "SIGINT"]));
  });

  test("is found where a command within the unit has started the daemon, without the variable", async () => {
    const { mkdir } = await import("node:fs/promises");
    await mkdir(join(directory, "systemd"));
    const hear = (text: string | Uint8Array) => void heard.push(Buffer.from(text).toString());
    const its = await datagrams(join(directory, "systemd/notify"), { platform: "linux", hear });
    const runtime = { XDG_RUNTIME_DIR: directory };
    manager({ env: runtime, units: { self: "localhostess.service" } }).ready(daemon({}));
    manager({ env: runtime, units: { self: "another.service" } }).ready(daemon({ port: 1 }));
    manager({ env: runtime }).ready(daemon({ port: 1 }));
    await eventually("it is heard", () => heard.length > 0);
    its.close();
    expect(heard).toEqual(["READY=1\nSTATUS=answers on port 9090"]);
  });
});

describe("a process that stays", () => {
  async function minded() {
    const clock = new FakeClock();
    let hear: ((signal: StopSignal) => void) | undefined;
    const sent: unknown[] = [];
    const exits: number[] = [];
    let pid: number | undefined = 77;
    let code: number | undefined;
    const onSignal = (action: typeof hear) => {
      hear = action;
      return () => {
        hear = undefined;
      };
    };
    void minding(
      { stateDirectory: directory, socket: join(directory, "daemon.sock") },
      { onSignal: onSignal as World["onSignal"], exit: (its) => void exits.push(its) },
      { clock, daemonPid: async () => pid, signal: (...its) => void sent.push(its) },
    ).then((its) => {
      code = its;
    });
    return {
      ...{ sent, exits },
      code: () => code,
      signal: (name: StopSignal) => hear!(name),
      without() {
        pid = undefined;
      },
      hears: () => hear !== undefined,
      /** Each look reads the record, which takes a turn or more. */
      async looks(count: number) {
        for (let look = 0; look < count && code === undefined; look++) {
          await eventually("a look", () => clock.waiting > 0 || code !== undefined);
          clock.advance(500);
          await Bun.sleep(1);
        }
      },
    };
  }

  const record = (pid: number) => writeRegistration(directory, registrationOf({ id: "next", pid }));

  test("passes signals on to the daemon that runs now, and ends with 0 once that has ended", async () => {
    await record(process.pid);
    const its = await minded();
    await its.looks(20);
    its.signal("SIGTERM");
    its.signal("SIGHUP");
    await eventually("both are sent", () => its.sent.length === 2);
    expect(its.sent).toEqual([
      [77, "SIGTERM"],
      [77, "SIGHUP"],
    ]);
    expect([its.code(), its.exits]).toEqual([undefined, []]);
    await rm(join(directory, "registration.json"));
    await its.looks(20);
    await eventually("it ends", () => its.code() !== undefined);
    expect([its.code(), its.hears()]).toEqual([0, false]);
  });

  test("does not end while one daemon follows the other", async () => {
    const its = await minded();
    await its.looks(3);
    await record(process.pid);
    await its.looks(10);
    expect(its.code()).toBeUndefined();
    await rm(join(directory, "registration.json"));
    await its.looks(10);
  });

  test("ends with 1 where the daemon was killed, and at once where a signal finds nobody", async () => {
    // No process has it: beyond the highest pid of Linux.
    await record(2 ** 22 + 1);
    const its = await minded();
    its.without();
    its.signal("SIGTERM");
    await eventually("it ends at once", () => its.exits.length > 0);
    expect(its.exits).toEqual([1]);
    await its.looks(20);
    await eventually("it ends", () => its.code() !== undefined);
    expect(its.code()).toBe(1);
  });
});
