/**
 * What a daemon is started with: what it needs of a shell's environment, a folder that is nobody's project, its
 * own log.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnDaemon } from "../../src/control/found/spawn.ts";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";

let folder: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lh-spawn-"));
  log = join(folder, "daemon.log");
});

afterEach(() => rmSync(folder, { recursive: true }));

const needed = {
  HOME: "/home/me",
  USER: "me",
  LOGNAME: "me",
  PATH: "/usr/bin:/bin",
  SHELL: "/bin/sh",
  LANG: "C.UTF-8",
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
  TMPDIR: "/tmp",
  XDG_RUNTIME_DIR: "/run/user/1",
  DOCKER_HOST: "unix:///run/user/1/docker.sock",
  DOCKER_CONTEXT: "rootless",
  DOCKER_CONFIG: "/home/me/.docker",
  CONTAINER_HOST: "unix:///run/user/1/podman/podman.sock",
  SSH_AUTH_SOCK: "/run/user/1/agent",
  LOCALHOSTESS_STATE_DIR: "/state",
  LOCALD_SOCKET: "/socket",
};

/**
 * Secrets, what makes a program run somebody's code, and what would make the daemon a part of the service it was
 * started in.
 */
const leftBehind = {
  AWS_SECRET_ACCESS_KEY: "secret",
  SSH_ASKPASS: "./evil",
  GITHUB_TOKEN: "secret",
  DOCKER_AUTH_CONFIG: "secret",
  MY_HOME: "secret",
  HOME_: "secret",
  "HOME\n": "secret",
  NODE_OPTIONS: "--require=./evil.js",
  BUN_OPTIONS: "--preload=./evil.ts",
  BUN_INSPECT: "1",
  LD_PRELOAD: "",
  NAME: "api",
  PORT: "3000",
  NOTIFY_SOCKET: "/run/n",
  LOCALHOSTESS_RUN_ID: "0123456789abcdef",
  LOCALHOSTESS_NAME: "api.shop",
  LOCALHOSTESS_URL: "http://api.shop.localhost",
  LOCALHOSTESS_URL_: undefined,
  LOCALHOSTESS_BUILD: "/state/builds/shop/web/",
  LOCALHOSTESS_SCRIPT: "0123456789abcdef",
};

test("a daemon has of a shell's environment what it needs, and nothing else", async () => {
  const started = spawnDaemon({
    command: ["/usr/bin/env", "-0"],
    env: { ...needed, ...leftBehind },
    log,
  });
  expect(await started.ended).toBe(0);
  const has = Object.fromEntries(
    (await started.lastWords())
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  expect(has).toEqual(needed);
});

test("a daemon runs in the root folder, leads a session, and adds to a log that is its owner's", async () => {
  writeFileSync(log, "before\n", { mode: 0o600 });
  const script = `pwd; test "$(ps -o sid= -p $$ | tr -d ' ')" = $$ && echo leads; echo wrong >&2; exit 3`;
  const started = spawnDaemon({
    command: ["/bin/sh", "-c", script],
    env: { PATH: process.env.PATH },
    log,
  });
  expect(await started.ended).toBe(3);
  expect(await started.lastWords()).toBe("/\nleads");
  expect(readFileSync(log, "utf8")).toBe("before\nwrong\n");
  expect(started.logTail()).toBe("wrong");
  expect(statSync(log).mode & 0o777).toBe(0o600);
});

test("the time that a daemon has had of the processor is its sign of life; one that is stopped is ended too", async () => {
  const started = spawnDaemon({
    command: ["/bin/sh", "-c", "echo ready >&2; kill -STOP $$; exit 0"],
    env: { PATH: process.env.PATH },
    log,
  });
  await eventually("it has begun", () => started.logTail() === "ready");
  expect(started.sign()).toBeString();
  await started.end();
  expect(await started.ended).toBe("SIGKILL");
  expect(started.sign()).toBeUndefined();
  expect(() => process.kill(started.pid, 0)).toThrow("ESRCH");
});

test("an end of its words is not waited for where another process has them too", async () => {
  const started = spawnDaemon({
    command: ["/bin/sh", "-c", "sleep 600 & echo $! >&2; echo why; exit 1"],
    env: { PATH: process.env.PATH },
    log,
  });
  expect(await started.ended).toBe(1);
  expect(await started.lastWords()).toBe("why");
  endNow(Number(started.logTail()));
});
