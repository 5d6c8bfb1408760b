import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { enginePlaces } from "../../src/containers/engine-places.ts";

function home(files: Record<string, string> = {}) {
  const path = mkdtempSync(join(tmpdir(), "engine-home-"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, dirname(file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function context(name: string, Host: unknown): string {
  return JSON.stringify({
    Name: name,
    Metadata: {},
    Endpoints: { docker: { Host, SkipTLSVerify: false } },
  });
}

const uid = 1000;

test("the usual sockets of all engines are looked at", () => {
  using its = home({
    ".colima/default/colima.yaml": "",
    ".colima/dev/colima.yaml": "",
    ".lima/docker/lima.yaml": "",
    ".local/share/containers/podman/machine/qemu/x": "",
  });
  const { sockets, notes } = enginePlaces({
    env: { XDG_RUNTIME_DIR: "/run/me" },
    home: its.path,
    uid,
  });
  expect(notes).toEqual([]);
  expect(sockets.map((path) => path.replace(its.path, "~"))).toEqual([
    "/var/run/docker.sock",
    "/run/me/docker.sock",
    "/run/user/1000/docker.sock",
    "~/.docker/run/docker.sock",
    "~/.docker/desktop/docker.sock",
    "~/.orbstack/run/docker.sock",
    "~/.rd/docker.sock",
    "~/.colima/default/docker.sock",
    "~/.colima/dev/docker.sock",
    "~/.lima/docker/sock/docker.sock",
    "~/.lima/docker/sock/podman.sock",
    "/run/podman/podman.sock",
    "/run/me/podman/podman.sock",
    "/run/user/1000/podman/podman.sock",
    "~/.local/share/containers/podman/machine/podman.sock",
    "~/.local/share/containers/podman/machine/qemu/podman.sock",
  ]);
});

test("DOCKER_HOST comes first, then the current context, then the other contexts", () => {
  using its = home({
    ".docker/config.json": '{"currentContext":"two","auths":{}}',
    ".docker/contexts/meta/aa/meta.json": context("one", "unix:///one.sock"),
    ".docker/contexts/meta/bb/meta.json": context("two", "unix:///two.sock"),
  });
  const env = { DOCKER_HOST: "unix:///host.sock", CONTAINER_HOST: "unix:///podman.sock" };
  const { sockets } = enginePlaces({ env, home: its.path, uid });
  expect(sockets.slice(0, 5)).toEqual([
    ...["/host.sock", "/podman.sock", "/two.sock", "/one.sock", "/var/run/docker.sock"],
  ]);
  const other = enginePlaces({ env: { DOCKER_CONTEXT: "one" }, home: its.path, uid });
  expect(other.sockets.slice(0, 2)).toEqual(["/one.sock", "/two.sock"]);
  using elsewhere = home({ "contexts/meta/cc/meta.json": context("three", "unix:///three.sock") });
  const moved = enginePlaces({ env: { DOCKER_CONFIG: elsewhere.path }, home: its.path, uid });
  expect(moved.sockets[0]).toBe("/three.sock");
});

test.each([
  [
    "tcp://127.0.0.1:2375",
    "the engine of DOCKER_HOST (tcp) is not asked: only engines on a unix socket are asked",
  ],
  [
    "ssh://me@box",
    "the engine of DOCKER_HOST (ssh) is not asked: to name containers of another machine, add it: localhostess remote add",
  ],
  [
    "npipe:////./pipe/docker",
    "the engine of DOCKER_HOST (npipe) is not asked: only engines on a unix socket are asked",
  ],
  [
    "docker.sock",
    "the engine of DOCKER_HOST (a relative path) is not asked: only engines on a unix socket are asked",
  ],
  [
    "unix://docker.sock",
    "the engine of DOCKER_HOST (unix) is not asked: only engines on a unix socket are asked",
  ],
])("DOCKER_HOST=%s is a note", (host, note) => {
  using its = home();
  expect(enginePlaces({ env: { DOCKER_HOST: host }, home: its.path, uid }).notes).toEqual([note]);
});

test("with a list in config.toml, its sockets alone are asked", () => {
  using its = home({ ".docker/contexts/meta/aa/meta.json": context("one", "unix:///one.sock") });
  const only = ["unix:///a.sock", "/b.sock", "/a.sock"];
  const env = { DOCKER_HOST: "unix:///host.sock" };
  expect(enginePlaces({ env, home: its.path, uid, only })).toEqual({
    sockets: ["/a.sock", "/b.sock"],
    notes: [],
  });
});

test("a context's file that is broken, huge, a folder, a loop or a hundredth one says nothing", () => {
  using its = home({
    ".docker/config.json": "{",
    ".docker/contexts/meta/aa/meta.json": "[",
    ".docker/contexts/meta/bb/meta.json": context("x", 7),
    ".docker/contexts/meta/cc/meta.json": "null",
    ".docker/contexts/meta/dd/meta.json/x": "",
    ".docker/contexts/meta/ee/meta.json": " ".repeat(2 * 1024 * 1024),
    ".docker/contexts/meta/ff/x": "",
    ".docker/contexts/meta/gg": "",
  });
  symlinkSync("meta.json", join(its.path, ".docker/contexts/meta/ff/meta.json"));
  expect(enginePlaces({ env: {}, home: its.path, uid }).sockets[0]).toBe("/var/run/docker.sock");
  const many = Array.from({ length: 200 }, (_, at) => [
    `.docker/contexts/meta/${at}/meta.json`,
    context(`${at}`, `unix:///${at}.sock`),
  ]);
  using full = home(Object.fromEntries(many));
  expect(enginePlaces({ env: {}, home: full.path, uid }).sockets.length).toBeLessThanOrEqual(64);
});
