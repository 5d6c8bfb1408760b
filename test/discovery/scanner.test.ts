import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Scan, Skipped, Source } from "../../src/discovery/observation.ts";
import {
  type Changes,
  type Scanner,
  type ScannerOptions,
  scanner,
} from "../../src/discovery/scanner.ts";
import type { Service } from "../../src/routes/service.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A scan that sees one server for each name, on ports from 3000. */
function seen(names: readonly string[], skipped: readonly Skipped[] = []): Scan {
  const all = names.map((name, at) => ({ name, pid: 100 + at, port: 3000 + at }));
  return {
    observations: all.map(({ pid, port }) => ({ address: "127.0.0.1", port, pids: [pid] })),
    processes: new Map(
      all.map(({ name, pid }) => [
        pid,
        { pid, name, startedAt: 0, parent: 1, group: pid, uid: 0, command: "x", cwd: undefined },
      ]),
    ),
    skipped,
  };
}

/** Scans end when the test says so. */
class FakeSource implements Source {
  readonly kind = "procfs";
  scans = 0;
  dead = new Set<number>();
  begun: string[] = [];
  #running: PromiseWithResolvers<Scan> | undefined;

  scan(): Promise<Scan> {
    if (this.#running !== undefined) throw new Error("two scans at once");
    this.scans++;
    this.#running = Promise.withResolvers();
    return this.#running.promise;
  }

  alive({ pid }: { pid: number }): boolean {
    return !this.dead.has(pid);
  }

  glance(): readonly string[] {
    return this.begun.splice(0);
  }

  get scanning(): boolean {
    return this.#running !== undefined;
  }

  async end(names: readonly string[], skipped: readonly Skipped[] = []): Promise<void> {
    const running = this.#running!;
    this.#running = undefined;
    running.resolve(seen(names, skipped));
    await settled();
  }

  async fail(message: string): Promise<void> {
    const running = this.#running!;
    this.#running = undefined;
    running.reject(new Error(message));
    await settled();
  }
}

/** After everything that the promises of this moment lead to. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

let clock: FakeClock;
let source: FakeSource;
let subject: Scanner;
let told: Changes[];
let skipped: Skipped[];
let failures: string[];

function make(
  options: Partial<Pick<ScannerOptions, "watched" | "onServices" | "infer">> = {},
): Scanner {
  return scanner({
    source,
    clock,
    hostName: "desk",
    wsl: false,
    ownPid: 1,
    uid: 0,
    onServices: (_, changes) => told.push(changes),
    onSkipped: (entry) => skipped.push(entry),
    onFailure: (error) => failures.push(error.message),
    ...options,
  });
}

async function started(...found: string[]): Promise<void> {
  const ready = subject.start();
  await source.end(found);
  await ready;
}

const namesOf = (services: readonly Service[]) => services.map(({ name }) => name);

beforeEach(() => {
  clock = new FakeClock();
  source = new FakeSource();
  told = [];
  skipped = [];
  failures = [];
  subject = make();
});

afterEach(() => {
  subject.stop();
  expect(clock.waiting).toBe(0);
});

describe("starting", () => {
  test("does nothing before start, and one scan in it", async () => {
    clock.advance(60_000);
    expect(source.scans).toBe(0);
    await started("api");
    expect(source.scans).toBe(1);
    expect(namesOf(subject.services())).toEqual(["api"]);
  });
});

describe("while nobody uses the proxy", () => {
  test("there is no scan", async () => {
    await started();
    clock.advance(600_000);
    expect(source.scans).toBe(1);
  });

  test("the first use is followed by a scan within a second", async () => {
    await started();
    clock.advance(60_000);
    subject.touch();
    expect(source.scans).toBe(1);
    clock.advance(1000);
    expect(source.scans).toBe(2);
    await source.end([]);
  });
});

describe("while the proxy is used", () => {
  test("there is a scan every five seconds, however often it is used", async () => {
    await started();
    for (let second = 0; second < 20; second++) {
      for (let use = 0; use < 100; use++) subject.touch();
      clock.advance(1000);
      if (source.scanning) await source.end([]);
    }
    expect(source.scans).toBe(5);
  });

  test("and scans stop soon after the last use", async () => {
    await started();
    clock.advance(60_000);
    subject.touch();
    clock.advance(1000);
    await source.end([]);
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      if (source.scanning) await source.end([]);
    }
    expect(source.scans).toBe(2);
  });

  test("a scan that takes long is not joined by a second", async () => {
    await started();
    clock.advance(60_000);
    for (let second = 0; second < 30; second++) {
      subject.touch();
      clock.advance(1000);
    }
    expect(source.scans).toBe(2);
    await source.end([]);
  });

  test("a watched scanner scans every five seconds without being touched", async () => {
    subject.stop();
    subject = make({ watched: true });
    await started();
    for (let second = 0; second < 20; second++) {
      clock.advance(1000);
      if (source.scanning) await source.end([]);
    }
    expect(source.scans).toBe(5);
  });
});

describe("a server that only its folder has named", () => {
  const because = "package.json of /srv/shop";
  const infer: ScannerOptions["infer"] = ({ processes }, { pids }) =>
    new Map(
      [...processes.values()]
        .filter(({ pid }) => !pids?.has(pid))
        .map((process) => {
          const name = "fix-nav.shop";
          return [
            process.pid,
            { process, key: name, name, why: undefined, source: "folder", because },
          ];
        }),
    );

  beforeEach(async () => {
    subject.stop();
    subject = make({ infer });
    await started("");
  });

  test("is looked at each second for half a minute, once a program has begun whose NAME takes its name", async () => {
    source.begun = ["Shop"];
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      if (source.scanning) await source.end([""]);
    }
    expect(source.scans).toBe(1 + 30);
  });

  test("is not, for a program with another NAME", async () => {
    source.begun = ["hop", "fix-nav", "web"];
    clock.advance(60_000);
    expect(source.scans).toBe(1);
  });
});

describe("a miss", () => {
  beforeEach(async () => {
    await started("api");
    clock.advance(60_000);
  });

  test("after quiet starts a scan at once, and waits for it", async () => {
    const found = subject.refresh();
    expect(source.scans).toBe(2);
    await source.end(["api", "web"]);
    expect(namesOf(await found)).toEqual(["api", "web"]);
  });

  test("shares its scan with all who miss before that begins", async () => {
    const first = subject.refresh();
    const others = [subject.refresh(), subject.refresh(), subject.refresh()];
    await source.end(["one"]);
    expect(namesOf(await first)).toEqual(["one"]);
    clock.advance(1000);
    await source.end(["two"]);
    for (const other of others) expect(namesOf(await other)).toEqual(["two"]);
    expect(source.scans).toBe(3);
  });

  test("during a scan waits for the next one, which began after it", async () => {
    subject.touch();
    clock.advance(1000);
    const found = subject.refresh();
    await source.end(["old"]);
    clock.advance(1000);
    await source.end(["new"]);
    expect(namesOf(await found)).toEqual(["new"]);
  });

  test("soon after a scan waits a tenth of a second from its end", async () => {
    subject.refresh();
    await source.end([]);
    clock.advance(40);
    const found = subject.refresh();
    clock.advance(59);
    expect(source.scans).toBe(2);
    clock.advance(1);
    expect(source.scans).toBe(3);
    await source.end(["web"]);
    expect(namesOf(await found)).toEqual(["web"]);
  });

  test.each([
    [30, 300],
    [5, 100],
    [2000, 1000],
  ])("after scans of %d ms waits %d ms", async (length, wait) => {
    for (let scans = 0; scans < 2; scans++) {
      clock.advance(1_000);
      subject.refresh();
      clock.advance(length);
      await source.end([]);
    }
    subject.refresh();
    clock.advance(wait - 1);
    expect(source.scanning).toBe(false);
    clock.advance(1);
    expect(source.scanning).toBe(true);
    await source.end([]);
  });

  test("after one scan that took long, for the process had other work, waits no longer than before it", async () => {
    subject.refresh();
    clock.advance(2_000);
    await source.end([]);
    subject.refresh();
    clock.advance(100);
    expect(source.scanning).toBe(true);
    await source.end([]);
  });

  test("again and again cannot make it scan all the time", async () => {
    let busy = 0;
    for (let moment = 0; moment < 10_000; moment += 10) {
      subject.refresh();
      if (source.scanning) {
        busy += 10;
        clock.advance(10);
        await source.end([]);
      } else {
        clock.advance(10);
      }
    }
    expect(busy).toBeLessThanOrEqual(1000);
  });

  test("waits no longer because the clock was set back", async () => {
    subject.refresh();
    await source.end([]);
    clock.advance(-3_600_000);
    subject.refresh();
    clock.advance(100);
    expect(source.scanning).toBe(true);
    await source.end([]);
  });
});

describe("news", () => {
  const summary = ({ appeared, changed, gone }: Changes) =>
    [appeared, changed, gone].map(namesOf).map(String).join(" | ");

  test("say what appeared, changed and went", async () => {
    await started("api", "web");
    clock.advance(1000);
    subject.refresh();
    // "web" has another process and port now.
    await source.end(["web", "new"]);
    clock.advance(1000);
    subject.refresh();
    await source.end(["web", "new"]);
    expect(told.map(summary)).toEqual(["api,web |  | ", "new | web | api", " |  | "]);
  });

  test("of what could not be read are told once, until it could be", async () => {
    const entry = { pid: 7, why: "its files: EACCES" };
    await started();
    for (const entries of [[entry], [entry], [], [entry]]) {
      clock.advance(1000);
      subject.refresh();
      await source.end([], entries);
    }
    expect(skipped).toEqual([entry, entry]);
  });
});

describe("a scan that fails", () => {
  test("keeps the services, and tells those who wait", async () => {
    await started("api");
    clock.advance(1000);
    const found = subject.refresh();
    await source.fail("no lsof");
    expect(namesOf(await found)).toEqual(["api"]);
    expect(failures).toEqual(["no lsof"]);
  });

  test("is reported once, until one works or fails otherwise", async () => {
    await started();
    for (const message of ["a", "a", "b", "", "b"]) {
      clock.advance(1000);
      subject.refresh();
      await (message === "" ? source.end([]) : source.fail(message));
    }
    expect(failures).toEqual(["a", "b", "b"]);
  });

  test("does not stop start", async () => {
    const ready = subject.start();
    await source.fail("no lsof");
    await ready;
    expect(subject.services()).toEqual([]);
  });

  test("may fail before it begins", async () => {
    subject.stop();
    source.scan = () => {
      throw new Error("broken");
    };
    subject = make();
    await subject.start();
    expect(failures).toEqual(["broken"]);
  });

  test("includes one whose news cannot be taken", async () => {
    subject.stop();
    subject = make({
      onServices() {
        throw new Error("table is broken");
      },
    });
    await started("api");
    expect(failures).toEqual(["table is broken"]);
  });
});

describe("stopping", () => {
  test("gives those who wait what is known, and may be repeated", async () => {
    await started("api");
    clock.advance(1000);
    const during = subject.refresh();
    const after = subject.refresh();
    subject.stop();
    subject.stop();
    expect(namesOf(await during)).toEqual(["api"]);
    expect(namesOf(await after)).toEqual(["api"]);
    expect(namesOf(await subject.refresh())).toEqual(["api"]);
  });

  test("ignores the scan that is running", async () => {
    await started("api");
    clock.advance(1000);
    subject.refresh();
    subject.stop();
    await source.end(["web"]);
    expect(namesOf(subject.services())).toEqual(["api"]);
    expect(told).toHaveLength(1);
  });

  test("before start is harmless", async () => {
    subject.stop();
    await subject.start();
    expect(source.scans).toBe(0);
  });
});

test("a service is there while its process is", async () => {
  await started("api");
  const [service] = subject.services();
  expect(subject.stillThere(service!)).toBe(true);
  source.dead.add(service!.process!.pid);
  expect(subject.stillThere(service!)).toBe(false);
});

test("while somebody looks on it scans every second, and then as before", async () => {
  subject = make();
  const started = subject.start();
  await source.end([]);
  await started;
  const cancel = subject.watch();
  for (let second = 1; second <= 3; second++) {
    clock.advance(1_000);
    expect(source.scans).toBe(1 + second);
    await source.end(["api"]);
  }
  cancel();
  cancel();
  clock.advance(4_000);
  expect(source.scans).toBe(4);
});

describe("a look for one of our own commands", () => {
  test("begins at once, however short ago the last one was", async () => {
    await started("api");
    const usual = subject.refresh();
    expect(source.scanning).toBe(false);
    const hurried = subject.refresh({ atOnce: true });
    expect(source.scanning).toBe(true);
    await source.end(["api", "web"]);
    expect(namesOf(await hurried)).toEqual(["api", "web"]);
    // It is as new for whoever would have waited.
    expect(namesOf(await usual)).toEqual(["api", "web"]);
    expect(source.scans).toBe(2);
    expect(subject.scan().observations).toHaveLength(2);
  });

  test("that is asked for within another begins right behind it", async () => {
    await started("api");
    const first = subject.refresh({ atOnce: true });
    const second = subject.refresh({ atOnce: true });
    await source.end(["api"]);
    await first;
    expect(source.scanning).toBe(true);
    await source.end(["web"]);
    expect(namesOf(await second)).toEqual(["web"]);
  });

  test("that fails says so, until one works", async () => {
    await started("api");
    for (const _ of [1, 2]) {
      const failed = subject.refresh({ atOnce: true });
      await source.fail("no /proc");
      await failed;
      expect(subject.failure()?.message).toBe("no /proc");
    }
    expect(failures).toEqual(["no /proc"]);
    const works = subject.refresh({ atOnce: true });
    await source.end(["api"]);
    await works;
    expect(subject.failure()).toBeUndefined();
  });
});

test("of two other users' servers of one name, the one that had it at the last scan keeps it", async () => {
  const process = (pid: number, uid: number) =>
    ({
      pid,
      uid,
      startedAt: pid,
      parent: 1,
      group: pid,
      name: "api",
      command: "x",
      cwd: "/",
    }) as const;
  const scanOf = (...them: ReturnType<typeof process>[]): Scan => ({
    observations: them.map(({ pid }) => ({ address: "127.0.0.1", port: 3000 + pid, pids: [pid] })),
    processes: new Map(them.map((its) => [its.pid, its])),
    skipped: [],
  });
  const scans = [
    scanOf(process(20, 9)),
    scanOf(process(20, 9), process(10, 8)),
    scanOf(process(10, 8), process(30, 9)),
    scanOf(process(10, 8)),
  ];
  subject = scanner({
    source: { kind: "procfs", scan: async () => scans.shift()! },
    clock,
    hostName: "desk",
    wsl: false,
    ownPid: 1,
    uid: 7,
    onServices() {},
  });
  await subject.start();
  const holders: number[] = [];
  while (scans.length > 0) {
    holders.push(subject.services().find(({ routable }) => routable)!.process!.pid);
    await subject.refresh({ atOnce: true });
  }
  expect([...holders, subject.services()[0]!.process!.pid]).toEqual([20, 20, 30, 10]);
});
