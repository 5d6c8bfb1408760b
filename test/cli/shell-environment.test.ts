/** The environment of the shell that said `up`, over the ends of daemons: handed over, lost and mended. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "../../src/cli/projects/asking.ts";
import { ask } from "../../src/control/found/client.ts";
import { askHandover } from "../../src/control/found/handover.ts";
import { systemClock } from "../../src/system/clock.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";
import { ended } from "../support/ended.ts";
import { cli, command, environment } from "./cli.ts";

const patience = 120_000;
const name = uniqueName("shell");
/** In no file, no argument list and no environment but that of the shell and of the service. */
const canary = `canary${crypto.randomUUID()}`;
let place: ProjectPlace;
let folder: string;

beforeAll(async () => {
  place = await projectPlace();
  const parent = await realpath(await mkdtemp(join(tmpdir(), "localhostess-shell-")));
  folder = join(parent, name);
  await mkdir(join(folder, ".git"), { recursive: true });
  await writeFile(
    join(folder, "locald.toml"),
    `[services.w]
type = "worker"
command = '''echo has=$(printf %s "$CANARY" | wc -c); exec sleep 1000'''
ready_pattern = "has="
`,
  );
}, patience);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await rm(join(folder, ".."), { recursive: true, force: true });
}, patience);

const run = (...args: string[]) => cli(args, { env: { ...place.daemon.env }, cwd: folder });
const upFromShell = () =>
  cli(["up"], { env: { ...place.daemon.env, CANARY: canary }, cwd: folder });

async function row(): Promise<Row | undefined> {
  return (await place.rows()).find((its) => its.project === name);
}

/** The service's row, once another process of it is ready. */
const readyAfter = (pid: number | null | undefined): Promise<Row> =>
  place.until(`${name}:w`, (its) => its.state === "ready" && its.pid !== pid, patience);

/** The same, started by the daemon that there is now: the process of before may have gone on under it. */
async function startedAnew(): Promise<Row> {
  const { pid } = await place.until(`${name}:w`, (its) => its.state === "ready", patience);
  endNow(pid!);
  return await readyAfter(pid);
}

async function lastOutput(): Promise<string | undefined> {
  return (await place.logs(`${name}:w`)).findLast((line) => /^has=\d+$/.test(line));
}

/** The whole of every file, argument list and environment, but for the service's own. */
function places(): string[] {
  const files = readdirSync(place.daemon.directory, { recursive: true, encoding: "utf8" })
    .map((path) => join(place.daemon.directory, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid));
  const lines = processes.map((pid) => `/proc/${pid}/cmdline`);
  const daemons = place.daemon.pids().map((pid) => `/proc/${pid}/environ`);
  return [...files, ...lines, ...daemons].filter((path) => {
    try {
      return readFileSync(path, "latin1").includes(canary);
    } catch {
      // It has gone, or is another user's.
      return false;
    }
  });
}

test(
  "a restart of the daemon hands it over, again and again, and it is written nowhere",
  async () => {
    expect(await upFromShell()).toMatchObject({ code: 0 });
    const has = `has=${canary.length}`;
    expect(await lastOutput()).toBe(has);
    for (let count = 0; count < 2; count++) {
      expect((await run("server", "restart")).code).toBe(0);
      const after = await startedAnew();
      expect(await lastOutput()).toBe(has);
      expect(after.warnings).toEqual([]);
      expect(places()).toEqual([]);
    }
  },
  patience,
);

test(
  "it outlives daemons that are replaced while they take over",
  async () => {
    const slow = join(folder, "..", `${name}-slow`);
    await mkdir(join(slow, ".git"), { recursive: true });
    await writeFile(
      join(slow, "locald.toml"),
      `[services.s]
type = "worker"
command = "trap 'sleep 2; exit 0' TERM; echo up; while :; do sleep 0.1; done"
ready_pattern = "up"
`,
    );
    const inSlow = (...args: string[]) => cli(args, { env: { ...place.daemon.env }, cwd: slow });
    expect((await inSlow("up")).code).toBe(0);
    const [one, two] = await Promise.all([run("server", "restart"), run("server", "restart")]);
    expect([one.code, two.code]).toContain(0);
    const again = await run("server", "restart");
    expect(again.code).toBe(0);
    const after = await startedAnew();
    expect(after.warnings).toEqual([]);
    expect(await lastOutput()).toBe(`has=${canary.length}`);
    expect((await inSlow("stop")).code).toBe(0);
  },
  patience,
);

test(
  "nobody gets it without a proof of the credential",
  async () => {
    const found = await place.daemon.find();
    if (found.kind !== "healthy") throw new Error(found.kind);
    const asked = { clock: systemClock, id: "next" };
    const none = { kind: "shells" as const, shells: undefined };
    const handed = await askHandover(found, asked);
    if (handed.kind === "handed") handed.close();
    const told = JSON.stringify(handed);
    expect(told).toContain(canary);
    const nonce = "0".repeat(64);
    for (const sent of [{}, { proof: "" }, { proof: `${nonce}.${nonce}` }, null]) {
      const { socket } = found.registration;
      const answer = await ask(socket, { Handover: sent }, { deadline: 5000 });
      expect(answer).toMatchObject({ kind: "failed", why: "the proof is missing or wrong" });
    }
    const stranger = { ...found, credential: "0".repeat(found.credential.length) };
    expect(await askHandover(stranger, asked)).toEqual(none);
    const { registration } = found;
    // Where another daemon answers than the one that was found, there may be one that knows more, soon.
    const other = { ...found, registration: { ...registration, id: crypto.randomUUID() } };
    expect(await askHandover(other, asked)).toEqual({ kind: "busy", shells: undefined });
  },
  patience,
);

test(
  "after a kill the service says that it runs without it, until up passes it on",
  async () => {
    const before = await row();
    for (const pid of place.daemon.pids()) endNow(pid);
    await eventually("the daemon has ended", () => place.daemon.pids().length === 0);
    await place.daemon.start();
    const bare = await readyAfter(before?.pid);
    expect(await lastOutput()).toBe("has=0");
    const warning = `runs without the environment of the shell that ran up, which was lost with the daemon before; localhostess up ${folder} passes it on`;
    expect(bare.warnings).toEqual([warning]);
    expect((await run("status")).out).toContain(`! ${name}:w: runs without the environment`);
    expect((await run("logs", "--no-color", "w")).out).toContain(warning);
    // A restart of the daemon does not forget that it was lost.
    await run("server", "restart");
    const still = await startedAnew();
    expect(still.warnings).toEqual([warning]);
    expect((await upFromShell()).code).toBe(0);
    const mended = await row();
    expect(mended).toMatchObject({ state: "ready", warnings: [] });
    expect(mended?.pid).not.toBe(still.pid);
    expect(await lastOutput()).toBe(`has=${canary.length}`);
    expect(places()).toEqual([]);
  },
  patience,
);

test(
  "a value that is not UTF-8 reaches the service, and a command with its environment, byte by byte",
  async () => {
    const raw = (...args: string[]) => {
      // Bun passes no bytes on, a shell does.
      const words = [
        "/bin/sh",
        "-c",
        `CANARY=$(printf 'a\\377b\\344'); export CANARY; exec "$@"`,
        "sh",
      ];
      return ended([...words, ...command(...args)], {
        env: environment(place.daemon.env),
        cwd: folder,
      });
    };
    expect((await raw("restart", "w")).code).toBe(0);
    expect(await lastOutput()).toBe("has=4");
    await run("server", "restart");
    await startedAnew();
    expect(await lastOutput()).toBe("has=4");
    const { out } = await raw("run", "w", "--", "sh", "-c", 'printf %s "$CANARY" | od -An -tx1');
    expect(out.trim()).toBe("61 ff 62 e4");
  },
  patience,
);
