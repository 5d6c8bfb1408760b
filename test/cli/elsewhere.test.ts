/** Services that listen elsewhere than on their port: told by the verb that has started them. */
import { describe, expect, test } from "bun:test";
import type { Row } from "../../src/cli/projects/asking.ts";
import { servicesElsewhere } from "../../src/cli/projects/elsewhere.ts";
import type { ObservedProcess, Scan } from "../../src/discovery/observation.ts";

function row(its: Partial<Row> = {}): Row {
  const common = { name: "shop:api", type: "exec", pid: 10, port: 20_000, ready: true };
  return { ...common, warnings: [], ...its } as unknown as Row;
}

/** Port -> the pid that listens; each process is the child of the one whose pid is lower by one, down to 10. */
function scanOf(ports: Record<number, number>): Scan {
  const processes = [8, 10, 11, 12].map((pid): [number, ObservedProcess] => [
    pid,
    { pid, parent: pid - 1 } as ObservedProcess,
  ]);
  const observations = Object.entries(ports).map(([port, pid]) => ({
    address: "127.0.0.1",
    port: Number(port),
    pids: [pid],
  }));
  return { observations, processes: new Map(processes), skipped: [] };
}

const found = (rows: readonly Row[], ports: Record<number, number> = {}) =>
  servicesElsewhere(rows, async () => ({ scan: scanOf(ports) }));

describe("a service listens elsewhere", () => {
  test("where the daemon has seen it so, ready or not", async () => {
    const warnings = ["odd", "listens on port 3000, not on PORT=20000"];
    const expected = [{ name: "shop:api", port: 3000, own: 20_000 }];
    expect(await found([row({ warnings })])).toEqual(expected);
    expect(await found([row({ warnings, ready: false })])).toEqual(expected);
  });

  test("where it was ready by its own word, before the daemon has looked, in whatever process", async () => {
    expect(await found([row()], { 3000: 12 })).toEqual([
      { name: "shop:api", port: 3000, own: 20_000 },
    ]);
    // The port that serves, and not the one that a debugger or a development channel has.
    expect(await found([row()], { 9229: 10, 3000: 10, 50000: 11 })).toMatchObject([{ port: 3000 }]);
  });
});

describe("a service is not said to listen elsewhere", () => {
  test("where it listens on its port as well, or on none yet", async () => {
    expect(await found([row()], { 3000: 10, 20000: 12 })).toEqual([]);
    expect(await found([row()], {})).toEqual([]);
    expect(await found([row()], { 9229: 10 })).toEqual([]);
  });

  test("where another program has the other port", async () => {
    expect(await found([row()], { 3000: 8 })).toEqual([]);
  });

  test("where it need not listen, is not ready, or does not run", async () => {
    const others = [row({ type: "process" }), row({ ready: false }), row({ pid: null })];
    expect(await found(others, { 3000: 10 })).toEqual([]);
  });

  test("where the machine cannot be looked at", async () => {
    expect(await servicesElsewhere([row()], async () => undefined)).toEqual([]);
  });
});
