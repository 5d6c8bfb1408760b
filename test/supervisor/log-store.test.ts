import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RotatedFile } from "../../src/supervisor/logs/log-file.ts";
import { rotatedFile } from "../../src/supervisor/logs/log-file.ts";
import { type LogStore, logStore } from "../../src/supervisor/logs/log-store.ts";
import { systemClock } from "../../src/system/clock.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { turn } from "../support/turn.ts";
import { eventually } from "../support/eventually.ts";

const directories: string[] = [];
const stores: LogStore[] = [];

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "log-store-"));
  directories.push(made);
  return made;
}

type Made = { at?: string; clock?: typeof systemClock; fileAt?: (path: string) => RotatedFile };

function store({ at = directory(), clock = systemClock, fileAt }: Made = {}) {
  const notes: string[] = [];
  const options = { directory: at, clock, note: (text: string) => void notes.push(text) };
  const made = logStore(fileAt === undefined ? options : { ...options, fileAt });
  stores.push(made);
  return { at, store: made, notes };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const textsOf = (lines: readonly { text: string }[]) => lines.map(({ text }) => text);
const fileLines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);

describe("in memory", () => {
  test("lines have their time, stream and number", async () => {
    const clock = new FakeClock(Date.parse("2026-01-02T03:04:05.678Z"));
    const { store: logs } = store({ clock });
    const log = logs.of("shop:api");
    log.push("stdout", bytes("one\ntwo"));
    clock.advance(10);
    log.push("stderr", bytes("oops\n"));
    log.flush();
    const time = Date.parse("2026-01-02T03:04:05.678Z");
    expect(log.last(10)).toEqual([
      { number: 0, time, stream: "stdout", text: "one" },
      { number: 1, time: time + 10, stream: "stderr", text: "oops" },
      { number: 2, time: time + 10, stream: "stdout", text: "two" },
    ]);
    expect(textsOf(log.last(1))).toEqual(["two"]);
    expect(textsOf(log.read(1, 1))).toEqual(["oops"]);
    expect(log.next).toBe(3);
  });

  test("ten thousand lines are kept, and hardly more", () => {
    const { store: logs } = store({ clock: new FakeClock() });
    const log = logs.of("shop:api");
    for (let at = 0; at < 30_000; at++) log.push("stdout", bytes(`line ${at}\n`));
    expect(log.next - log.first).toBeWithin(10_000, 11_000);
    expect(textsOf(log.last(10_000))[0]).toBe("line 20000");
    expect(textsOf(log.last(1))).toEqual(["line 29999"]);
    expect(textsOf(log.read(25_000, 2))).toEqual(["line 25000", "line 25001"]);
  });

  test("very long lines do not make it grow without bound", () => {
    const { store: logs } = store({ clock: new FakeClock() });
    const log = logs.of("shop:api");
    const long = bytes(`${"x".repeat(70_000)}\n`);
    for (let at = 0; at < 200; at++) log.push("stdout", long);
    expect(log.next - log.first).toBeLessThan(70);
    expect(log.last(1)[0]!.text).toEndWith(`x [cut: ${70_000 - 65_536} bytes more]`);
  });

  for (const [name, pieces] of [
    ["at once", [[0x61, 0xff, 0x62, 0x0a]]],
    ["before the line goes on", [[0x61, 0xff], [0x62], [0x0a]]],
  ] as const) {
    test(`invalid UTF-8 becomes U+FFFD, where it comes ${name}`, () => {
      const { store: logs } = store({ clock: new FakeClock() });
      const log = logs.of("shop:api");
      for (const piece of pieces) log.push("stdout", Uint8Array.from(piece));
      log.push("stdout", bytes("good\n"));
      expect(textsOf(log.last(10))).toEqual(["a\ufffdb", "good"]);
    });
  }

  test("a character in two pieces stays what it is", () => {
    const { store: logs } = store({ clock: new FakeClock() });
    const log = logs.of("shop:api");
    const euro = bytes("€\n");
    log.push("stdout", euro.subarray(0, 2));
    log.push("stdout", euro.subarray(2));
    expect(textsOf(log.last(1))).toEqual(["€"]);
  });

  test("followers are told soon, once for much, and not when they have left", () => {
    const clock = new FakeClock();
    const { store: logs } = store({ clock });
    let told = 0;
    const leave = logs.follow(() => void told++);
    const log = logs.of("shop:api");
    for (let at = 0; at < 100; at++) log.push("stdout", bytes("line\n"));
    clock.advance(50);
    expect(told).toBe(1);
    leave();
    log.push("stdout", bytes("line\n"));
    clock.advance(50);
    expect(told).toBe(1);
  });
});

describe("a line without an end", () => {
  function opened() {
    const clock = new FakeClock();
    const { store: logs } = store({ clock });
    let told = 0;
    logs.follow(() => void told++);
    const log = logs.of("shop:api");
    return { clock, log, told: () => told };
  }

  test("is shown after a moment, told to followers, and is a line when it ends", () => {
    const { clock, log, told } = opened();
    log.push("stdout", bytes("Name? "));
    expect(log.prompt).toBe("Name? ");
    expect(log.open).toEqual([]);
    clock.advance(1000);
    expect(told()).toBe(1);
    expect(log.open).toMatchObject([{ number: 0, stream: "stdout", text: "Name? " }]);
    expect(log.last(10)).toEqual([]);
    log.push("stdout", bytes("Bob\r\n"));
    expect(log.open).toEqual([]);
    expect(textsOf(log.last(10))).toEqual(["Name? Bob"]);
  });

  test("is not shown while it changes, and stands beside one of the other stream", () => {
    const { clock, log } = opened();
    for (let at = 0; at < 50; at++) {
      log.push("stdout", bytes(`\r${at}`));
      clock.advance(80);
      expect(log.open).toEqual([]);
    }
    log.push("stderr", bytes("why? "));
    clock.advance(1000);
    expect(textsOf(log.open).sort()).toEqual(["49", "why? "]);
    log.push("stdout", bytes("\u001b[2K\r"));
    clock.advance(1000);
    expect(textsOf(log.open)).toEqual(["why? "]);
  });

  test("is shown again after a line that came above it, and none where the process has ended", () => {
    const { clock, log } = opened();
    log.push("stdout", bytes("> "));
    clock.advance(1000);
    log.push("stdout", bytes("\r\u001b[Kline\n> "));
    expect(log.open).toEqual([]);
    clock.advance(1000);
    expect(textsOf(log.open)).toEqual(["> "]);
    log.flush();
    expect(log.open).toEqual([]);
    clock.advance(5000);
    expect(textsOf(log.last(10))).toEqual(["line", "> "]);
  });

  test("is the line that the cursor comes back to, also in a log of two streams and of ours", () => {
    const { clock, log } = opened();
    log.push("stdout", bytes("a: 10%\n"));
    log.push("stderr", bytes("warning\n"));
    log.say("restarts");
    log.push("stdout", bytes("\u001b[1A\u001b[4G55\n"));
    clock.advance(5000);
    expect(textsOf(log.last(10)).at(-1)).toBe("a: 55%");
  });
});

test("a full-screen program is said once, with the command that shows it", () => {
  const { store: logs } = store({ clock: new FakeClock() });
  const log = logs.of("shop:api");
  for (let at = 0; at < 3; at++)
    log.push("stdout", bytes("\u001b[?1049h\u001b[Hfull\u001b[?1049l"));
  expect(textsOf(log.last(10))).toEqual([]);
  log.push("stdout", bytes("\u001b[?1049h"));
  log.push("stdout", bytes("full\n"));
  log.push("stdout", bytes("\u001b[?1049l\u001b[?1049h"));
  expect(textsOf(log.last(10))).toEqual([
    "[localhostess] a full-screen program is not logged; to see it: localhostess attach shop:api",
  ]);
});

describe("in files", () => {
  test("every line is there, for its owner alone", async () => {
    const { at, store: logs } = store();
    const log = logs.of("shop:api");
    for (let line = 0; line < 5000; line++) log.push("stdout", bytes(`line ${line}\r\n`));
    log.push("stderr", bytes("the last, without end"));
    await logs.close();
    const path = join(at, "shop", "api.log");
    const lines = fileLines(path);
    expect(lines.length).toBe(5001);
    expect(lines[4999]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z stdout line 4999$/);
    expect(lines[5000]).toEndWith(" stderr the last, without end");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(at, "shop")).mode & 0o777).toBe(0o700);
  });

  test("files are put aside at their limit, three are kept, and no line is cut", async () => {
    const fileAt = (path: string) => rotatedFile(path, { limit: 100_000 });
    const { at, store: logs } = store({ fileAt });
    const log = logs.of("shop:api");
    for (let line = 0; line < 50_000; line++) {
      log.push("stdout", bytes(`line ${line}\n`));
      if (line % 1000 === 0) await turn();
    }
    await logs.close();
    const folder = join(at, "shop");
    expect(readdirSync(folder).sort()).toEqual(["api.log", "api.log.1", "api.log.2"]);
    const lines = ["api.log.2", "api.log.1", "api.log"].flatMap((name) =>
      fileLines(join(folder, name)),
    );
    const numbers = lines.map((line) => Number(line.split(" ").at(-1)));
    expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
    expect(numbers.at(-1)).toBe(49_999);
  });

  test("what a former daemon has written is there, also where its last line was torn", async () => {
    const { at, store: first } = store();
    first.of("shop:api").push("stdout", bytes("of before\n"));
    await first.close();
    const path = join(at, "shop", "api.log");
    writeFileSync(path, `${readFileSync(path, "utf8")}2026-01-02T03:04:05.678Z stdo`);
    const { store: second } = store({ at });
    const log = second.of("shop:api");
    log.push("stdout", bytes("of now\n"));
    await log.ready;
    expect(textsOf(log.last(10))).toEqual(["of before", "of now"]);
    expect(log.first).toBe(-1);
    await second.close();
    expect(fileLines(path).at(-1)).toEndWith(" stdout of now");
  });

  test("a name that is no file name stays inside the folder", async () => {
    const { at, store: logs } = store();
    logs.of("shop:..").push("stdout", bytes("here\n"));
    logs.of("..:a/b").push("stdout", bytes("here\n"));
    await logs.close();
    expect(readdirSync(at).sort()).toEqual(["%..", "shop"]);
    expect(readdirSync(join(at, "shop"))).toEqual(["%...log"]);
    expect(readdirSync(join(at, "%.."))).toEqual(["a%2fb.log"]);
  });

  test("a disk that fails costs its lines, told once and marked where they are missing", async () => {
    const written: string[] = [];
    let failing = true;
    const fileAt = (): RotatedFile => ({
      async write(parts) {
        if (failing) throw new Error("ENOSPC: no space left on device");
        written.push(Buffer.concat(parts).toString());
      },
      tail: async () => new Uint8Array(0),
      close: async () => {},
    });
    const { store: logs, notes } = store({ fileAt });
    const log = logs.of("shop:api");
    await log.ready;
    log.push("stdout", bytes("one\ntwo\n"));
    await eventually("it is told", () => notes.length > 0);
    expect(notes).toEqual([
      "what shop:api prints is not kept in its file: ENOSPC: no space left on device",
    ]);
    failing = false;
    log.push("stdout", bytes("three\n"));
    await logs.close();
    expect(written.join("")).toMatch(
      /^\S+ stderr \[localhostess\] 2 lines are missing here: .*\n\S+ stdout three\n$/,
    );
    expect(textsOf(log.last(3))).toEqual(["one", "two", "three"]);
  });

  test("a slow disk holds the service that prints, and lets it go when it has caught up", async () => {
    let go = Promise.withResolvers<void>();
    const fileAt = (): RotatedFile => ({
      write: () => go.promise,
      tail: async () => new Uint8Array(0),
      close: async () => {},
    });
    const { store: logs } = store({ fileAt });
    const log = logs.of("shop:api");
    await log.ready;
    const heard: string[] = [];
    const resumed = Promise.withResolvers<void>();
    log.source = {
      pause: () => void heard.push("pause"),
      resume() {
        heard.push("resume");
        resumed.resolve();
      },
    };
    const line = bytes(`${"x".repeat(1023)}\n`);
    for (let at = 0; at < 1500; at++) log.push("stdout", line);
    expect(heard).toEqual(["pause"]);
    go.resolve();
    await resumed.promise;
    expect(heard).toEqual(["pause", "resume"]);
    go = Promise.withResolvers();
    go.resolve();
  });
});

describe("left to another daemon", () => {
  /** What it returns is pushed into the log of the next one, as it would be. */
  async function left(pieces: readonly string[], size?: { cols: number; rows: number }) {
    const { at, store: logs } = store();
    const log = logs.of("shop:api");
    log.resize(size);
    for (const piece of pieces) log.push("stdout", bytes(piece));
    const rest = await log.leave();
    const next = logStore({ directory: at, clock: systemClock, note() {} });
    stores.push(next);
    const other = next.of("shop:api");
    other.resize(size);
    await other.ready;
    other.push("stdout", rest.stdout);
    return { at, log, rest, other };
  }

  test("lines are in the file, and a half one becomes one with its other half", async () => {
    const { at, rest, other } = await left(["one\ntw"]);
    expect(Buffer.from(rest.stdout).toString()).toBe("tw");
    other.push("stdout", bytes("o\nthree\n"));
    expect(textsOf(other.last(10))).toEqual(["one", "two", "three"]);
    await stores.pop()!.close();
    const lines = fileLines(join(at, "shop", "api.log"));
    expect(lines.map((line) => line.split(" ").at(-1))).toEqual(["one", "two", "three"]);
  });

  test("half a character and half a colour are not broken", async () => {
    const [first, second] = [bytes("caf\u00e9").subarray(0, 4), bytes("caf\u00e9").subarray(4)];
    const { store: logs } = store();
    const log = logs.of("shop:api");
    log.push("stdout", first);
    const rest = await log.leave();
    log.push("stdout", rest.stdout);
    log.push("stdout", second);
    log.push("stdout", bytes(" \x1b[3"));
    log.push("stdout", (await log.leave()).stdout);
    log.push("stdout", bytes("1mred\x1b[0m\n"));
    expect(textsOf(log.last(1))).toEqual(["caf\u00e9 \x1b[31mred\x1b[0m"]);
  });

  test("of a terminal, the row of the cursor goes on, and what stands above it is lines", async () => {
    const { log, rest, other } = await left(["\x1b[2Kbuilding\r\n", "50%\r", "60%\r"], {
      cols: 80,
      rows: 24,
    });
    expect(textsOf(log.last(10))).toEqual(["building"]);
    expect(Buffer.from(rest.stdout).toString()).toBe("60%");
    other.push("stdout", bytes("\r70%\r\ndone\r\n"));
    expect(textsOf(other.last(10))).toEqual(["building", "70%", "done"]);
  });

  test("a full-screen program stays one", async () => {
    const { other } = await left(["\x1b[?1049h", "rows and rows"], { cols: 80, rows: 24 });
    expect(other.isFull).toBe(true);
    other.push("stdout", bytes("\x1b[2Jmore\x1b[?1049lafter\r\n"));
    expect(textsOf(other.last(1))).toEqual(["after"]);
  });
});
