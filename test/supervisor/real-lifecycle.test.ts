/** Services with real processes, in a process that adopts their orphans as the daemon does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { HealthCheck, ServiceSpec } from "../../src/manifest/project.ts";
import { loopback } from "../../src/system/loopback.ts";
import type { HostOrder, Many, Told } from "./host.ts";
import { exists, Keeper, marked } from "./keepers.ts";

let host: Keeper<HostOrder>;
beforeAll(() => {
  host = new Keeper<HostOrder>("host.ts");
});
afterAll(async () => await host.finish());

const { isFree } = loopback(process.platform);

const say = `
def say(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
`;

const python = (text: string) => `exec python3 -u -c '
import os, socket, time
${text.includes("say(") ? say : ""}
def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen()
    return s
port = int(os.environ["PORT"])
${text}
time.sleep(1000)
'`;

async function up(name: string, spec: Partial<ServiceSpec>): Promise<Told> {
  await host.ask({ do: "start", spec: { name, ...spec } });
  return await host.ask<Told>({ do: "until", name, state: "ready" });
}

async function down(name: string): Promise<Told> {
  const told = await host.ask<Told>({ do: "stop", name });
  expect(told.state).toBe("stopped");
  expect(isFree(told.port!)).toBe(true);
  return told;
}

const health: HealthCheck = {
  ask: { kind: "tcp" },
  interval: 100,
  timeout: 1000,
  retries: 2,
  startPeriod: 0,
};

describe("ready, with real processes", () => {
  test("a service that is slow and says so: STATUS, then READY=1, not when its port listens", async () => {
    const command = python(`
say("STATUS=loading")
s = listen(port)
time.sleep(0.6)
say("STATUS=all there\\nREADY=1")`);
    const told = await up("slow", { command });
    expect(told.states).toEqual(["starting", "running", "ready"]);
    expect(told.statuses).toContain("loading");
    expect(told.status).toBe("all there");
    expect(told.readyAt! - told.startedAt!).toBeGreaterThan(550);
    await down("slow");
  });

  test("a service that listens long before it says READY=1, and says nothing else", async () => {
    const command = python(`s = listen(port); time.sleep(0.8); say("READY=1")`);
    const told = await up("late", { command });
    expect(told.readyAt! - told.startedAt!).toBeGreaterThan(750);
    await down("late");
  });

  test("by itself, once its port listens", async () => {
    const told = await up("port", { command: python("time.sleep(0.3); s = listen(port)") });
    expect(told.readyAt! - told.startedAt!).toBeGreaterThan(250);
    await down("port");
  });

  test("by its health check: tcp, http and command", async () => {
    await up("tcp", { command: python("s = listen(port)"), health });
    const serve = `exec bun -e 'Bun.serve({port: process.env.PORT, fetch: (r) => new Response("", {status: r.url.endsWith("/up") ? 200 : 500})}); console.log("bun")'`;
    await up("http", { command: serve, health: { ...health, ask: { kind: "http", path: "/up" } } });
    const ask = { kind: "command", command: 'test "$NAME" = asked && test -n "$PORT"' } as const;
    await up("asked", { command: "sleep 1000", health: { ...health, ask } });
    for (const name of ["tcp", "http", "asked"]) await down(name);
  });

  test("by a line of its log", async () => {
    const command =
      "echo starting; sleep 0.2; printf '\\033[32mRea\\033[0mdy to go\\n'; sleep 1000";
    const told = await up("line", { command, readyPattern: "^Ready" });
    expect(told.output).toContain("starting");
    await down("line");
  });

  test("where it listens somewhere else, with a warning", async () => {
    const command = python("s = listen(0); print(s.getsockname()[1])");
    const told = await up("elsewhere", { command });
    const port = Number(told.output.trim());
    expect(told.listens).toEqual([port]);
    expect(told.warnings).toEqual([`listens on port ${port}, not on PORT=${told.port}`]);
    await down("elsewhere");
  });

  test("reloading makes it unready, until it says that it is ready", async () => {
    const command = python(`
say("READY=1"); time.sleep(0.2); say("RELOADING=1"); time.sleep(0.2); say("READY=1")`);
    await up("reload", { command });
    await host.ask({ do: "until", name: "reload", state: "unready" });
    await down("reload");
  });

  test("a main process that it names lives on, and its end is the end, with its exit code", async () => {
    const command = python(`
pid = os.fork()
if pid == 0:
    os.setsid()
    s = listen(port)
    say("MAINPID=%d\\nREADY=1" % os.getpid())
    time.sleep(1)
    os._exit(42)
time.sleep(0.4)
os._exit(0)`);
    const told = await up("forking", { command, restart: "no" });
    expect(told.state).toBe("ready");
    const end = await host.ask<Told>({ do: "until", name: "forking", state: "exited" });
    expect(end.lastExit).toMatchObject({ code: 42, signal: null });
    expect(end.lastExit!.time - end.startedAt!).not.toBeLessThan(0);
  });

  test("a silent watchdog has it started again", async () => {
    const command = python(`say("WATCHDOG_USEC=300000\\nREADY=1")`);
    await up("dog", { command });
    const told = await host.ask<Told>({ do: "until", name: "dog", state: "backoff" });
    expect(told.why).toBe("its watchdog was silent for 300 ms");
    await down("dog");
  });
});

describe("stopped, with real processes", () => {
  test("a process that holds the port in a session of its own, and ignores signals, is ended; the port is free", async () => {
    const mark = `88.${process.pid}${Date.now()}`;
    const command = `setsid python3 -c '
import os, signal, socket, time
signal.signal(15, signal.SIG_IGN)
s = socket.socket(); s.bind(("127.0.0.1", int(os.environ["PORT"]))); s.listen()
time.sleep(1000) # ${mark}
' & sleep ${mark}; :`;
    await up("stubborn", { command, stopTimeout: 300 });
    const pids = marked(mark);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    await down("stubborn");
    expect(pids.filter(exists)).toEqual([]);
  });

  test("one that is killed is started again, and what it left behind is gone first", async () => {
    const told = await up("killed", { command: python("s = listen(port)") });
    process.kill(told.pid!, "SIGKILL");
    const fallen = await host.ask<Told>({ do: "until", name: "killed", state: "backoff" });
    expect(fallen.lastExit).toMatchObject({ code: null, signal: "SIGKILL" });
    await down("killed");
  });
});

test("one whose processes together take more memory than it may is ended, with all of them", async () => {
  const mebibytes = (count: number) => `b = bytearray(${count} * 1024 * 1024)`;
  // Each alone is below the limit.
  const command = python(`
s = listen(port)
time.sleep(0.5)
for at in range(3):
    if os.fork() == 0: break
${mebibytes(60)}`);
  await up("greedy", { command, restart: "no", limits: { memory: 150 * 1024 * 1024 } });
  const told = await host.ask<Told>({ do: "until", name: "greedy", state: "failed" });
  expect(told.why).toMatch(/^used \d+ MiB, more than its limits.memory of 150 MiB$/);
  expect(told.output).toContain("more than its limits.memory of 150 MiB; it is ended");
  await down("greedy");
});

test("two hundred services go up and down side by side, and no descriptor or process is left", async () => {
  const many = await host.ask<Many>({
    do: "many",
    count: 200,
    // The least that a listening process can be.
    command: `exec python3 -ISE -c '
import _socket, os, signal
s = _socket.socket(); s.bind(("127.0.0.1", int(os.environ["PORT"]))); s.listen()
signal.pause()'`,
  });
  const [before, up, after] = many.descriptors;
  expect(up).toBeGreaterThan(before + 400);
  expect(after).toBeLessThanOrEqual(before);
  expect(many.children).toBe(0);
}, 120_000);
