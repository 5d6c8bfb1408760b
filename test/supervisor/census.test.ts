import { expect, test } from "bun:test";
import {
  parsePsCensus,
  procfsCensus,
  psCensus,
  runIdIn,
} from "../../src/supervisor/family/census.ts";
import { FakeProc } from "../discovery/fake-proc.ts";
import { turn } from "../support/turn.ts";

const id = "0123456789abcdef0123456789abcdef";

test("a run id is found wherever it stands in an environment, and nothing that only looks like it", () => {
  const found = (text: string) => runIdIn(Buffer.from(text));
  expect(found(`LOCALHOSTESS_RUN_ID=${id}\0A=b\0`)).toBe(id);
  expect(found(`A=b\0LOCALHOSTESS_RUN_ID=${id}`)).toBe(id);
  expect(found(`XLOCALHOSTESS_RUN_ID=${id}\0`)).toBeUndefined();
  expect(found("")).toBeUndefined();
});

test("processes are seen with their run, also after they have thrown their environment away", async () => {
  const proc = new FakeProc();
  try {
    const census = procfsCensus({ root: proc.root });
    proc.put({ pid: 5, start: 3, environ: `A=b\0LOCALHOSTESS_RUN_ID=${id}\0` });
    proc.put({ pid: 6, parent: 5, group: 5, start: 4 });
    let table = await census.look();
    expect(table.get(5)).toMatchObject({ runId: id, startedAt: 1_700_000_003_000, zombie: false });
    expect(table.get(6)).toMatchObject({ runId: undefined, parent: 5, group: 5 });
    // The same process, another program.
    proc.change({ pid: 5, start: 3, stack: 8, environ: "" });
    expect((await census.look()).get(5)?.runId).toBe(id);
    // Another process that got its pid.
    proc.put({ pid: 5, start: 9, environ: "" });
    table = await census.look();
    expect(table.get(5)?.runId).toBeUndefined();
    expect(census.same(table.get(5)!)).toBe(true);
    expect(census.same({ pid: 5, birth: 300 })).toBe(false);
    proc.end(5);
    expect(census.same(table.get(5)!)).toBe(false);
    expect((await census.look()).has(5)).toBe(false);
  } finally {
    proc.remove();
  }
});

test("those who ask at once share a look, and it begins after they asked", async () => {
  const proc = new FakeProc();
  try {
    const census = procfsCensus({ root: proc.root });
    const first = census.look();
    const same = census.look();
    expect(same).toBe(first);
    await turn();
    proc.put({ pid: 8 });
    const later = census.look();
    expect(later).not.toBe(first);
    expect((await later).has(8)).toBe(true);
  } finally {
    proc.remove();
  }
});

/** macOS 14: a shell of the system shows no environment, node does, and a zombie has no name. */
const recorded = `    1     0     1 Ss    21648   1:02.33 Mon Nov 17 08:00:01 2025 /sbin/launchd
  501     1   501 Ss     1712   0:00.01 Tue Nov 18 09:10:11 2025 /bin/sh -c npm start
  502   501   501 S+    98304   0:01.25 Tue Nov 18 09:10:11 2025 node server.js \
PATH=/bin LOCALHOSTESS_RUN_ID=${id} PORT=20001
  503   501   501 Z         0   0:00.00 Tue Nov 18 09:10:12 2025 (sleep)
  504     1   504 S       512  12:34:56.78 Tue Nov 18 09:10:12 2025 postgres -D x LOCALHOSTESS_RUN_ID=${id}
garbage
`;

test("macOS: ps tells the same, but for sessions", () => {
  const table = parsePsCensus(recorded);
  expect([...table.keys()]).toEqual([1, 501, 502, 503, 504]);
  expect(table.get(502)).toEqual({
    pid: 502,
    parent: 501,
    group: 501,
    session: 0,
    startedAt: Date.UTC(2025, 10, 18, 9, 10, 11),
    birth: Date.UTC(2025, 10, 18, 9, 10, 11),
    leads: false,
    zombie: false,
    stopped: false,
    exitStatus: undefined,
    program: "node",
    exec: undefined,
    runId: id,
    mark: undefined,
    cpu: 1250,
    memory: 98_304 * 1024,
  });
  expect(table.get(501)).toMatchObject({ runId: undefined, leads: true, program: "sh" });
  expect(table.get(503)?.zombie).toBe(true);
  expect(table.get(504)).toMatchObject({ runId: id, cpu: 45_296_780 });
});

test("macOS: where ps fails, it is told", async () => {
  const census = psCensus(async () => ({ kind: "missing" }));
  expect(census.look()).rejects.toThrow("cannot be seen: there is no ps");
});
