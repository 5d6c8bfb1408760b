import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResumedLines } from "../../src/cli/projects/resumed-lines.ts";

const began = Date.parse("2026-01-31T09:00:00.000Z");
const folder = mkdtempSync(join(tmpdir(), "localhostess-resumed-"));
const socket = join(folder, "s");
let now = began;
let listener: Bun.UnixSocketListener<undefined> | undefined;

afterEach(() => {
  listener?.stop(true);
  listener = undefined;
  now = began;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A daemon that answers everything alike. */
function daemon(answer: string): void {
  listener = Bun.listen({ unix: socket, socket: { data: (its) => void its.end(answer) } });
}

function line(time: number, message: string, service = "shop:api") {
  const at = new Date(began + time).toISOString();
  return { time: at, service, stream: "stdout" as const, message };
}

test("each line is new once, also several of one moment, and those behind them", async () => {
  daemon('{"Status":[]}\n');
  const lines = new ResumedLines(() => now);
  const first = [line(0, "a"), line(5, "b"), line(5, "c"), line(5, "b")];
  expect(first.map((its) => lines.isNew(its))).toEqual([true, true, true, true]);
  now += 6000;
  expect(await lines.next(socket)).toBe("2026-01-31T08:59:55.005Z");
  const again = [...first, line(5, "d"), line(6, "e"), line(6, "f")];
  const before = [false, false, false, false];
  expect(again.map((its) => lines.isNew(its))).toEqual([...before, true, true, true]);
  now += 6000;
  await lines.next(socket);
  expect(again.map((its) => lines.isNew(its))).toEqual(again.map(() => false));
});

test("a service that was quiet has its first lines, but none from before all of it began", async () => {
  daemon('{"Status":[]}\n');
  const lines = new ResumedLines(() => now);
  lines.isNew(line(5, "a"));
  now += 6000;
  await lines.next(socket);
  expect(lines.isNew(line(-10, "long ago", "shop:web"))).toBe(false);
  expect(lines.isNew(line(3, "late", "shop:web"))).toBe(true);
});

test("a line without an end is shown as it stands, however often", () => {
  const lines = new ResumedLines(() => now);
  const open = { ...line(5, "name? "), open: true as const };
  expect([lines.isNew(open), lines.isNew(open)]).toEqual([true, true]);
});

test("without a daemon at the socket, or with one that ends each stream at once, that is the end", async () => {
  const lines = new ResumedLines(() => now);
  now += 6000;
  expect(await lines.next(socket)).toBeUndefined();
  daemon('{"Status":[]}\n');
  expect(await lines.next(socket)).toBeDefined();
  now += 100;
  expect(await lines.next(socket)).toBeUndefined();
});
