import { expect, test } from "bun:test";
import { daemonPaths, stateDirectory } from "../../src/system/paths.ts";

const linux = { platform: "linux", home: "/home/ann" } as const;

test("LOCALHOSTESS_STATE_DIR beats everything", () => {
  const env = { LOCALHOSTESS_STATE_DIR: "/srv/state", XDG_STATE_HOME: "/xdg" };
  for (const platform of ["linux", "darwin"] as const) {
    expect(stateDirectory({ ...linux, platform, env })).toEqual({
      kind: "path",
      path: "/srv/state",
    });
  }
});

test("a relative LOCALHOSTESS_STATE_DIR is a mistake that names the variable", () => {
  const found = stateDirectory({ ...linux, env: { LOCALHOSTESS_STATE_DIR: "state" } });
  expect(found).toMatchObject({
    kind: "mistake",
    what: expect.stringContaining("LOCALHOSTESS_STATE_DIR=state"),
  });
});

test("XDG_STATE_HOME is used where it is absolute, and ignored where it is not", () => {
  const of = (XDG_STATE_HOME: string) => stateDirectory({ ...linux, env: { XDG_STATE_HOME } });
  expect(of("/xdg")).toEqual({ kind: "path", path: "/xdg/localhostess" });
  expect(of("xdg")).toEqual({ kind: "path", path: "/home/ann/.local/state/localhostess" });
});

test("without variables, and with empty ones, it is the system's own place", () => {
  const empty = { LOCALHOSTESS_STATE_DIR: "", XDG_STATE_HOME: "" };
  for (const env of [{}, empty]) {
    expect(stateDirectory({ ...linux, env })).toEqual({
      kind: "path",
      path: "/home/ann/.local/state/localhostess",
    });
    expect(stateDirectory({ platform: "darwin", home: "/Users/ann", env })).toEqual({
      kind: "path",
      path: "/Users/ann/Library/Application Support/localhostess",
    });
  }
});

test("a sandbox has a state directory, a socket and a log of its own", () => {
  const env = { LOCALHOSTESS_STATE_DIR: "/srv/state", LOCALHOSTESS_SANDBOX: "ci-2" };
  expect(daemonPaths({ ...linux, env })).toEqual({
    kind: "paths",
    stateDirectory: "/srv/state/sandboxes/ci-2",
    base: "/srv/state",
    own: false,
    socket: "/srv/state/sandboxes/ci-2/daemon.sock",
    log: "/srv/state/sandboxes/ci-2/daemon.log",
    sandbox: "ci-2",
  });
});

test("LOCALD_SOCKET moves the socket, and only where LOCALD_SANDBOX_ACTIVE says so", () => {
  const env = { LOCALD_SOCKET: "/run/locald.sock" };
  const active = { ...env, LOCALD_SANDBOX_ACTIVE: "1" };
  expect(daemonPaths({ ...linux, env: active })).toMatchObject({ socket: "/run/locald.sock" });
  expect(daemonPaths({ ...linux, env })).toEqual({
    kind: "mistake",
    mistakes: [expect.stringContaining("LOCALD_SOCKET is not allowed")],
  });
  expect(daemonPaths({ ...linux, env: { ...env, LOCALD_SANDBOX_ACTIVE: "0" } }).kind).toBe(
    "mistake",
  );
});

test("every mistake is told at once", () => {
  const env = {
    LOCALHOSTESS_STATE_DIR: "here",
    LOCALHOSTESS_SANDBOX: "../up",
    LOCALD_SOCKET: "/run/locald.sock",
  };
  const found = daemonPaths({ ...linux, env });
  expect(found.kind === "mistake" && found.mistakes).toHaveLength(3);
});
