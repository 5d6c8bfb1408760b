import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carriedOut } from "../../src/cli/projects/asking.ts";

let folder = "";
let listener: Bun.UnixSocketListener<undefined> | undefined;

afterEach(() => {
  listener?.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

const start = { Start: { project_path: "/shop" } };

/** Daemons one after the other at one socket; each says this to a start, and is gone. Returns what they were asked. */
function daemons(...answers: string[]): { socket: string; asked: string[] } {
  folder = mkdtempSync(join(tmpdir(), "localhostess-asking-"));
  const socket = join(folder, "s");
  const asked: string[] = [];
  listener = Bun.listen({
    unix: socket,
    socket: {
      data(client, bytes) {
        const isStart = bytes.toString().includes("Start");
        if (!isStart) return void client.end('{"Status":[]}\n');
        asked.push(bytes.toString().trim());
        client.end(answers.shift() ?? "");
        if (answers.length === 0) listener?.stop();
      },
    },
  });
  return { socket, asked };
}

const step = `${JSON.stringify({ type: "StepStarted", data: { id: "shop:api", description: "x" } })}\n`;

test("a start that a daemon leaves to the next one is asked of that, and its answer counts", async () => {
  const { socket, asked } = daemons(step, `${step}"Ok"\n`);
  const heard: string[] = [];
  const hear = ({ type }: { type: string }) => void heard.push(type);
  expect(await carriedOut(socket, start, { hear, repeats: true })).toEqual({ kind: "done" });
  expect(asked).toEqual([JSON.stringify(start), JSON.stringify(start)]);
  expect(heard).toEqual(["StepStarted", "StepStarted"]);
});

test("one that must not be asked twice, or has nobody to ask, is told to be unfinished", async () => {
  const failed = { kind: "failed", reasons: [expect.stringContaining("before it finished")] };
  const once = daemons(step, '"Ok"\n');
  expect(await carriedOut(once.socket, start, { hear() {} })).toEqual(failed as never);
  expect(once.asked).toHaveLength(1);
  listener?.stop(true);
  rmSync(folder, { recursive: true });
  const last = daemons(step);
  expect(await carriedOut(last.socket, start, { hear() {}, repeats: true })).toEqual(
    failed as never,
  );
  expect(last.asked).toHaveLength(1);
});

test("daemons that all go away are asked five times at most", async () => {
  const { socket, asked } = daemons(...Array.from({ length: 9 }, () => step));
  expect(await carriedOut(socket, start, { hear() {}, repeats: true })).toMatchObject({
    kind: "failed",
  });
  expect(asked).toHaveLength(5);
});
