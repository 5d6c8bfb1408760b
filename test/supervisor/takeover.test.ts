import { expect, test } from "bun:test";
import type { Ending } from "../../src/supervisor/family/ending.ts";
import type { Families, Run } from "../../src/supervisor/family/family.ts";
import type { KeptProject, KeptRun, KeptState } from "../../src/supervisor/project/state-file.ts";
import { endRuns, endStrays, toResume } from "../../src/supervisor/project/takeover.ts";

const run: KeptRun = {
  pid: 40,
  startedAt: 1,
  birth: 400,
  members: [{ pid: 41, birth: 410 }],
  runId: "a".repeat(32),
  signal: "SIGINT",
  timeout: 300,
};

const kept = (name: string, changes: Partial<KeptProject> = {}): KeptProject => ({
  name,
  directory: `/srv/${name}`,
  whole: false,
  wanted: [],
  unwanted: [],
  dozing: [],
  profiles: [],
  runs: {},
  ...changes,
});

const state = (projects: KeptProject[], changes: Partial<KeptState> = {}): KeptState => ({
  key: "0123456789abcdef",
  boot: "this boot",
  projects,
  ports: {},
  ...changes,
});

/** Families that note what they are told to end. */
function families(changes: Partial<Families> = {}) {
  const ended: Run[] = [];
  const its = {
    boot: "this boot",
    runsOf: async () => [],
    strays: () => [],
    end(which: Run) {
      ended.push(which);
      return {
        done: Promise.resolve({ kind: "left", pids: [7] }),
        extend() {},
        exitOf: (own: Ending) => own,
      };
    },
    ...changes,
  } as unknown as Families;
  return { ended, its };
}

test("what the daemon before ran is ended, with its members where that was in this boot", async () => {
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const shop = kept("shop", { runs: { api: run } });
  const here = families();
  await endRuns(state([shop]), { families: here.its, note });
  expect(here.ended).toEqual([run]);
  expect(notes).toEqual(["shop:api of the daemon before cannot be ended: 7"]);
  const strays = [{ pid: 50, birth: 500 }];
  const elsewhere = families({ boot: "another boot" });
  await endRuns(state([shop], { strays }), { families: elsewhere.its, note });
  expect(elsewhere.ended).toEqual([{ ...run, birth: undefined, members: undefined }]);
});

test("so is what it was killed before it could write down, once", async () => {
  const unwritten = { pid: 60, startedAt: 2, runId: "b".repeat(32) };
  const { ended, its } = families({ runsOf: async () => [run, unwritten] });
  await endRuns(state([kept("shop", { runs: { api: run } })]), { families: its, note() {} });
  expect(ended.map(({ pid }) => pid)).toEqual([40, 60]);
});

test("strays are ended as a run of their own, and none is begun where there are none", async () => {
  const none = families();
  await endStrays({ families: none.its, note() {} });
  expect(none.ended).toEqual([]);
  const strays = [{ pid: 50, birth: 500 }];
  const some = families({ strays: () => strays });
  await endStrays({ families: some.its, note() {} });
  expect(some.ended).toMatchObject([{ members: strays }]);
});

test("what was up comes up again, and what is pinned with all of it", () => {
  const pinned = (name: string) => ({
    path: `/srv/${name}`,
    name,
    pinned: true,
    last_seen: { secs_since_epoch: 0, nanos_since_epoch: 0 },
  });
  const before = state([
    kept("partly", { wanted: ["api"], unwanted: ["web"] }),
    kept("both", { wanted: ["api"], unwanted: ["web"] }),
    kept("stopped"),
  ]);
  const found = toResume(before, [
    pinned("both"),
    pinned("only"),
    { ...pinned("known"), pinned: false },
  ]);
  expect(found).toEqual([
    { kept: kept("partly", { wanted: ["api"], unwanted: ["web"] }), wasUp: true },
    { kept: kept("both", { whole: true, wanted: ["api"] }), wasUp: true },
    { kept: kept("only", { whole: true }), wasUp: false },
  ]);
  expect(toResume(undefined, [])).toEqual([]);
});

test("runs that go on are not ended, whether they were written down or not, and neither are strays", async () => {
  const on = "c".repeat(32);
  const { ended, its } = families({ runsOf: async () => [{ pid: 60, startedAt: 1, runId: on }] });
  const runs = { api: run, web: { ...run, pid: 50, runId: "b".repeat(32) } };
  const before = state([kept("shop", { runs })], { strays: [{ pid: 70, birth: 7 }] });
  await endRuns(before, { families: its, note() {}, except: new Set([run.runId, on]) });
  expect(ended.map(({ pid }) => pid)).toEqual([50]);
});

test("a run that this daemon has begun under the same key is not ended, also where that was during the look", async () => {
  const own = "d".repeat(32);
  const begun = new Set<string>();
  const unwritten = { pid: 60, startedAt: 2, runId: "b".repeat(32) };
  const { ended, its } = families({
    async runsOf() {
      begun.add(own);
      return [unwritten, { pid: 70, startedAt: 3, runId: own }];
    },
  });
  await endRuns(state([]), { families: its, note() {}, own: () => begun });
  expect(ended.map(({ pid }) => pid)).toEqual([60]);
});
