import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundedChild, type ChildLimits } from "../../src/plugins/bounded-child.ts";
import { eventually } from "../support/eventually.ts";

const usual: ChildLimits = {
  ...{ start: 60_000, time: 60_000, late: "did not answer", memory: 2 ** 40, output: 1000 },
};

const ran = (script: string, limits: Partial<ChildLimits> = {}, input = "") =>
  boundedChild(["/bin/sh", "-c", script], { input, limits: { ...usual, ...limits } });

test("what a child says behind its first line comes back; it has no environment and works in /", async () => {
  const answer = await ran('echo begins; cat; pwd; echo "[$HOME]"', {}, "asked\n");
  expect(answer).toEqual({ kind: "said", text: "asked\n/\n[]\n" });
});

test("what it writes to stderr is nobody's", async () => {
  expect(await ran("echo begins; echo no >&2; echo yes")).toEqual({ kind: "said", text: "yes\n" });
});

test.each<[name: string, script: string, limits: Partial<ChildLimits>, why: string]>([
  ["takes too long", "echo begins; exec sleep 600", { time: 50 }, "did not answer within 0.05 s"],
  ["never begins", "exec sleep 600", { start: 50 }, "could not be started within 0.05 s"],
  ["says too much", "echo begins; yes", { output: 99 }, "answered with more than 99 B"],
  ["says too much at first", "yes", { output: 99 }, "answered with more than 99 B"],
  ["takes memory", "echo begins; exec sleep 600", { memory: 1 }, "used more than 1 B of memory"],
  ["fails", "echo begins; echo half; exit 3", {}, "ended without an answer (code 3)"],
  ["is killed", "echo begins; kill -SEGV $$", {}, "ended without an answer (SIGSEGV)"],
  ["says nothing", "echo begins", {}, "ended without an answer (code 0)"],
  ["says another thing", "echo else", {}, "ended without an answer (code 0)"],
])("a child that %s is ended", async (_, script, limits, why) => {
  expect(await ran(script, limits)).toEqual({ kind: "ended", why });
});

test("what it has started goes with it, also where that holds its output", async () => {
  const file = join(tmpdir(), `localhostess-group-${process.pid}`);
  const script = `sleep 600 & echo $! >${file}; echo begins; wait`;
  expect(await ran(script, { time: 300 })).toMatchObject({ kind: "ended" });
  const pid = Number(await Bun.file(file).text());
  await Bun.file(file).delete();
  await eventually("its own child is gone", () => !isThere(pid));
});

/** One that has ended, and nobody has reaped yet, is gone. */
function isThere(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  const state = stdout.toString().trim();
  return state !== "" && !state.startsWith("Z");
}

test("a program that is not there is told", async () => {
  const answer = await boundedChild(["/no/such/program"], { input: "", limits: usual });
  expect(answer).toMatchObject({
    kind: "ended",
    why: expect.stringMatching(/^could not be started/),
  });
});
