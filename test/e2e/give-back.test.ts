/** A daemon that fails just after it has taken over: the one before goes on, and services do not notice. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Registration } from "../../src/control/found/protocol.ts";
import { eventually } from "../support/eventually.ts";
import { isAlive, type ProjectPlace, projectPlace } from "../support/project-place.ts";

const goesOn = process.platform === "linux";

const toml = `
[project]
name = "shop"

[services.web]
command = "exec python3 -u -m http.server $PORT --bind 127.0.0.1"

[services.count]
type = "worker"
pty = false
command = "i=0; while :; do i=$((i+1)); echo out $i; sleep 0.02; done"

[services.slow]
type = "worker"
command = "while [ ! -e go ]; do sleep 0.05; done; systemd-notify --ready 2>/dev/null || true; exec sleep 1000"

[services.other]
type = "worker"
command = "exec sleep 1000"

[services.talk]
type = "worker"
restart = "no"
command = "while read l; do echo got $l; [ $l = end ] && exit 7; done"
`;

let place: ProjectPlace;
let directory: string;
const names = ["web", "count", "slow", "other", "talk"] as const;

beforeAll(async () => {
  place = await projectPlace({ LOCALHOSTESS_TRIAL: "60s" });
  directory = await place.project("shop", toml);
  await place.up(directory);
  for (const name of names) await place.until(`shop:${name}`, ({ state }) => state === "ready");
}, 60_000);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
}, 60_000);

async function running(): Promise<Registration> {
  return await place.daemon.running();
}

async function pids(): Promise<Record<string, number | null>> {
  return Object.fromEntries((await place.rows()).map(({ name, pid }) => [name, pid]));
}

/** The next daemon, once the services are its own, and the one before it. */
async function replaced(): Promise<{ before: Registration; next: Registration }> {
  const before = await running();
  const ended = await place.daemon.run("server", "restart");
  if (ended.code !== 0) throw new Error(ended.err);
  return { before, next: await running() };
}

/** It dies, and the one before is the daemon again. */
async function dies({ before, next }: Awaited<ReturnType<typeof replaced>>): Promise<void> {
  process.kill(next.pid, "SIGKILL");
  await eventually("the one before is the daemon again", async () => {
    const found = await place.daemon.find();
    return found.kind === "healthy" && found.registration.id === before.id;
  });
}

const log = () => readFile(join(place.daemon.directory, "daemon.log"), "utf8");

function outputOf(lines: readonly string[]): number[] {
  return lines.filter((its) => its.startsWith("out ")).map((its) => Number(its.slice(4)));
}

test.if(goesOn)(
  "killed, it loses nothing: the same processes, addresses and record, and no connection is refused",
  async () => {
    const was = await pids();
    const both = await replaced();
    expect(await pids()).toEqual(was);
    let isOver = false;
    const refused: string[] = [];
    const asks = async (): Promise<void> => {
      while (!isOver) {
        // The answer of one that is killed breaks off; but whoever comes is heard.
        const answer = await fetch(`http://127.0.0.1:${both.before.port}/`, {
          headers: { host: "web.shop.localhost", connection: "close" },
        }).catch((error: Error & { code?: string }) => error);
        if (answer instanceof Error && /refused/i.test(`${answer.code} ${answer.message}`)) {
          refused.push(answer.message);
        } else if (!(answer instanceof Error)) await answer.text();
      }
    };
    const clients = [asks(), asks()];
    await dies(both);
    expect(await pids()).toEqual(was);
    isOver = true;
    await Promise.all(clients);
    expect(refused).toEqual([]);
    const said = await log();
    expect(said).toContain(`the next daemon (pid ${both.next.pid}, version `);
    expect(said).toContain(`this one goes on (pid ${both.before.pid})`);
    const record = await running();
    expect(record).toEqual(both.before);
    const answer = await fetch(`http://127.0.0.1:${record.port}/`, {
      headers: { host: "web.shop.localhost" },
    });
    expect(answer.status).toBe(200);
    await answer.text();
    // Its lines go on in the same file, in order; those that the dead one had read may be missing.
    const numbers = outputOf(await place.logs("shop:count"));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const last = numbers.at(-1)!;
    await eventually("it prints on", async () => {
      return outputOf(await place.logs("shop:count")).at(-1)! > last;
    });
  },
  90_000,
);

test.if(goesOn)(
  "what was asked of it stays: stopped is stopped, started is started, and what has ended has",
  async () => {
    const was = await pids();
    const both = await replaced();
    await place.send({ Stop: { name: "shop:other" } });
    await place.send({ Restart: { name: "shop:slow" } }).catch(() => {});
    const slow = await place.until(
      "shop:slow",
      ({ state, pid }) => state === "ready" && pid !== was["shop:slow"],
    );
    process.kill(was["shop:talk"]!, "SIGKILL");
    await place.until("shop:talk", ({ state }) => state === "exited" || state === "failed");
    await dies(both);
    const again = await place.until(
      "shop:slow",
      ({ state, pid }) => state === "ready" && pid !== slow.pid,
    );
    expect(again.pid).not.toBe(was["shop:slow"]!);
    await eventually("what the dead one had started has ended", async () => {
      return !(await isAlive(slow.pid!));
    });
    const now = await place.rows();
    const of = (name: string) => now.find((its) => its.name === `shop:${name}`)!;
    expect(of("other").state).toBe("stopped");
    expect(["exited", "failed"]).toContain(of("talk").state);
    expect(of("talk").exit?.signal).toBe("SIGKILL");
    expect([of("web").pid, of("count").pid]).toEqual([was["shop:web"]!, was["shop:count"]!]);
  },
  90_000,
);

test.if(goesOn)(
  "the one that goes on is whole: it restarts what dies, takes commands, and hands over as before",
  async () => {
    const was = await pids();
    process.kill(was["shop:count"]!, "SIGKILL");
    const row = await place.until(
      "shop:count",
      ({ state, pid }) => state === "ready" && pid !== was["shop:count"],
    );
    expect(row.exit?.signal).toBe("SIGKILL");
    const before = await pids();
    const { next, before: old } = await replaced();
    expect(next.pid).not.toBe(old.pid);
    expect(await pids()).toEqual(before);
    process.kill(before["shop:web"]!, "SIGKILL");
    const web = await place.until(
      "shop:web",
      ({ state, pid }) => state === "ready" && pid !== before["shop:web"],
    );
    // Its parent, which the next daemon is not, has told how it ended.
    expect(web.exit?.signal).toBe("SIGKILL");
  },
  90_000,
);

test.if(goesOn)(
  "one that a person stops has not failed: everything ends, and nobody comes back",
  async () => {
    const all = await pids();
    const { before, next } = await replaced();
    const ended = await place.daemon.run("server", "stop");
    expect(ended.code).toBe(0);
    for (const pid of Object.values(all)) {
      if (pid !== null) expect(await isAlive(pid)).toBe(false);
    }
    await eventually("both are gone", async () => {
      return !(await isAlive(before.pid)) && !(await isAlive(next.pid));
    });
    expect((await place.daemon.find()).kind).toBe("absent");
    await place.daemon.start();
  },
  90_000,
);
