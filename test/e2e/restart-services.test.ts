/** `server restart` with services that run: they go on, whatever they are, and nothing of them is lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { converse } from "../../src/control/found/conversation.ts";
import { askHandover } from "../../src/control/found/handover.ts";
import type { Registration } from "../../src/control/found/protocol.ts";
import { systemClock } from "../../src/system/clock.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";

const goesOn = process.platform === "linux";

const toml = `
[project]
name = "shop"

[services.web]
command = "exec python3 -u -m http.server $PORT --bind 127.0.0.1"

[services.both]
type = "worker"
instances = 2
command = "exec sleep 1000"

[services.count]
type = "worker"
pty = false
command = "i=0; while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.02; done"

[services.talk]
type = "worker"
restart = "no"
command = "echo hello; printf 'name? '; while read l; do echo got $l; [ $l = end ] && exit 7; done"

[services.polite]
type = "worker"
command = "trap 'echo bye; exit 0' TERM; echo here; while :; do sleep 0.05; done"

[services.migrate]
type = "task"
command = "echo working; while [ ! -e done ]; do sleep 0.05; done; echo worked"
`;

let place: ProjectPlace;
let directory: string;

beforeAll(async () => {
  place = await projectPlace();
  directory = await place.project("shop", toml);
}, 60_000);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
}, 60_000);

async function restarted(): Promise<{ before: Registration; after: Registration; said: string }> {
  const found = async (): Promise<Registration> => {
    const its = await place.daemon.find();
    if (its.kind !== "healthy") throw new Error(its.kind);
    return its.registration;
  };
  const before = await found();
  const ended = await place.daemon.run("server", "restart");
  if (ended.code !== 0) throw new Error(ended.err);
  return { before, after: await found(), said: ended.err };
}

/** Everything that identifies what runs. */
async function identities() {
  const { projects } = await place.state();
  const runs = Object.entries(projects[0]!.runs).map(([name, { pid, runId }]) => [
    name,
    pid,
    runId,
  ]);
  const rows = (await place.rows())
    .filter(({ name }) => name !== "shop:migrate")
    .map(({ name, pid, state }) => [name, pid, state]);
  return { runs: runs.sort(), rows: rows.sort() };
}

/** The numbers of a counted line, in the order of the log. */
function numbersOf(lines: readonly string[], stream: "out" | "err"): number[] {
  return lines
    .filter((line) => line.startsWith(`${stream} `))
    .map((line) => Number(line.slice(stream.length + 1)));
}

/** No line of the service that counts is missing, none is there twice, and it goes on. */
async function inOrder(): Promise<void> {
  const lines = await place.logs("shop:count");
  for (const stream of ["out", "err"] as const) {
    const numbers = numbersOf(lines, stream);
    expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
  }
  const last = numbersOf(lines, "out").at(-1)!;
  await eventually("it prints on", async () => {
    return numbersOf(await place.logs("shop:count"), "out").at(-1)! > last;
  });
}

test.if(goesOn)(
  "twice in a row: the same processes, runs and states, and each line once, in order",
  async () => {
    const started = place.up(directory);
    for (const name of ["web", "both-1", "both-2", "count", "talk", "polite"]) {
      await place.until(`shop:${name}`, ({ state }) => state === "ready");
    }
    await place.until("shop:migrate", ({ state }) => state === "running");
    // The file of states is written a moment after the state is known.
    await eventually("all are written down", async () => {
      return (await identities()).runs.length === 7;
    });
    const before = await identities();
    for (let round = 0; round < 2; round++) {
      const { before: old, after, said } = await restarted();
      expect(after.pid).not.toBe(old.pid);
      expect(said).toContain("all 7 services go on");
      expect(await identities()).toEqual(before);
    }
    await started.catch(() => {
      // The daemon that was asked is gone; its services are not.
    });
    await inOrder();
  },
  120_000,
);

test.if(goesOn)(
  "whoever ends later is seen to end, with the right code, and what has to be started again is",
  async () => {
    await place.write(join(directory, "done"), "");
    await place.until("shop:migrate", ({ state }) => state === "completed");
    expect(await place.logs("shop:migrate")).toEqual(["working", "worked"]);
    const { pid } = await place.row("shop:both-2");
    process.kill(pid!, "SIGKILL");
    const again = await place.until(
      "shop:both-2",
      (row) => row.state === "ready" && row.pid !== pid,
    );
    expect(again.exit?.signal).toBe("SIGKILL");
  },
  60_000,
);

test.if(goesOn)(
  "a terminal can be typed into, and the line that stood there is one with what follows",
  async () => {
    const { socket } = (await restarted()).after;
    const request = { Attach: { name: "shop:talk" } };
    const typing = converse(socket, request, { hear() {}, ended() {} });
    typing.say({ input: Buffer.from("end\r").toString("base64") });
    const row = await place.until("shop:talk", ({ state }) => state === "exited");
    expect(row.exit?.code).toBe(7);
    const lines = await place.logs("shop:talk");
    expect(lines[0]).toBe("hello");
    expect(lines.join("\n")).toContain("name? end\ngot end");
    typing.end();
  },
  60_000,
);

test.if(goesOn)(
  "a next daemon that dies with everything in its hands changes nothing, and nothing was lost meanwhile",
  async () => {
    const before = await identities();
    const { pid } = await place.row("shop:both-1");
    const found = await place.daemon.find();
    if (found.kind !== "healthy") throw new Error(found.kind);
    const handed = await askHandover(found, { clock: systemClock, id: "a launch" });
    if (handed.kind !== "handed") throw new Error(handed.kind);
    const named: string[] = [];
    for (let batch = 0; ; batch++) {
      const answer = await handed.services(batch);
      const { services } = answer!.value as { services: { places?: string[][] } | null };
      if (services === null) break;
      named.push(...(services.places ?? []).map(([, service, name]) => `${service} ${name}`));
      for (const descriptor of answer!.descriptors) closeSync(descriptor);
    }
    expect(named).toContain("web terminal");
    expect(named).toContain("count stdout");
    expect(named).toContain(" lock");
    // Whoever ends now ends for the daemon that goes on.
    process.kill(pid!, "SIGKILL");
    await eventually("it has ended", async () => !(await isAlive(pid!)));
    handed.close();
    const again = await place.until(
      "shop:both-1",
      (row) => row.state === "ready" && row.pid !== pid,
    );
    expect(again.exit?.signal).toBe("SIGKILL");
    const others = (its: typeof before) => its.rows.filter(([name]) => name !== "shop:both-1");
    const after = await identities();
    expect(others(after)).toEqual(others(before));
    await inOrder();
  },
  60_000,
);

test.if(goesOn)(
  "nothing ends with the process that keeps them, and all of it after the daemon that has them was killed",
  async () => {
    const { before: old } = await restarted();
    const command = (pid: number) => readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "gone");
    await eventually("it only keeps them", async () => (await command(old.pid)) === "cat\0");
    process.kill(old.pid, "SIGKILL");
    await eventually("it is gone", async () => !(await isAlive(old.pid)));
    const { pid } = await place.row("shop:both-1");
    process.kill(pid!, "SIGKILL");
    await place.until("shop:both-1", (row) => row.state === "ready" && row.pid !== pid);
    const { before: keeper, after } = await restarted();
    const { runs } = await identities();
    await eventually("it only keeps one", async () => (await command(keeper.pid)) === "cat\0");
    process.kill(after.pid, "SIGKILL");
    await eventually("it is gone", async () => !(await isAlive(keeper.pid)));
    await place.daemon.start();
    for (const [, was] of runs) expect(await isAlive(was as number)).toBe(false);
    for (const name of ["web", "both-1", "both-2", "count", "polite"]) {
      await place.until(`shop:${name}`, ({ state }) => state === "ready");
    }
  },
  90_000,
);

test.if(goesOn)(
  "a stop asks them to end, as if this daemon had started them, and nobody is left",
  async () => {
    const { runs } = await identities();
    await place.send("StopAll");
    for (const [, pid] of runs) {
      await eventually(`${pid} ends`, async () => !(await isAlive(pid as number)));
    }
    expect(await place.logs("shop:polite")).toContain("bye");
    await eventually("no process keeps others any more", async () => {
      const found = await place.daemon.find();
      if (found.kind !== "healthy") return false;
      const text = await readFile(
        `/proc/${found.registration.pid}/task/${found.registration.pid}/children`,
        "latin1",
      );
      return text.trim() === "";
    });
  },
  60_000,
);
