import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  shortName,
  socketFolder,
  socketName,
  sweepSockets,
} from "../../src/remote/socket-folder.ts";

let root: string;

beforeEach(() => {
  // Short, whatever TMPDIR says: paths of sockets have little room.
  root = mkdtempSync("/tmp/lh-");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const uid = process.getuid!();

function folder(stateDirectory: string, its: { alive?: readonly number[]; pid?: number } = {}) {
  return socketFolder({
    stateDirectory,
    uid,
    runtimeDirectory: root,
    pid: its.pid ?? 100,
    isAlive: (pid) => its.alive?.includes(pid) === true,
  });
}

describe("the folder of a daemon's sockets", () => {
  test("is in the state directory, and ours alone", () => {
    const its = folder(root);
    expect(its).toBe(join(root, "remotes/100"));
    expect(statSync(its).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, "remotes")).mode & 0o777).toBe(0o700);
  });

  test("loses those of daemons that are gone, and an own one with old sockets, but no other's", () => {
    for (const pid of [98, 99, 100]) {
      mkdirSync(join(root, "remotes", String(pid)), { recursive: true, mode: 0o700 });
      writeFileSync(join(root, "remotes", String(pid), "box-3000"), "");
    }
    Bun.spawnSync(["chmod", "700", join(root, "remotes")]);
    const its = folder(root, { alive: [99, 100] });
    expect([98, 99, 100].map((pid) => existsSync(join(root, "remotes", String(pid))))).toEqual([
      false,
      true,
      true,
    ]);
    expect(existsSync(join(its, "box-3000"))).toBe(false);
  });

  test("goes with what is gone, where no connection is made at all", () => {
    const options = {
      stateDirectory: root,
      uid,
      runtimeDirectory: undefined,
      isAlive: () => false,
    };
    sweepSockets({ ...options, pid: 1 });
    expect(existsSync(join(root, "remotes"))).toBe(false);
    folder(root);
    sweepSockets({ ...options, pid: 1 });
    expect(existsSync(join(root, "remotes"))).toBe(false);
  });

  test("is elsewhere where the path is too long for a socket, or ssh would read it otherwise", () => {
    const others = [
      join(root, "x".repeat(80)),
      join(root, "Application Support"),
      join(root, "%h"),
    ];
    const places = others.map((path) => folder(path));
    for (const place of places) {
      expect(place).toStartWith(join(root, "localhostess-"));
      // sun_path of macOS, with what ssh adds while it makes a control socket.
      expect(join(place, `${shortName("x".repeat(63))}.1234567.ssh`).length + 17).toBeLessThan(104);
      const longest = socketName("x".repeat(63), { address: "2001:db8::1", port: 65_535 });
      expect(join(place, longest).length + 17).toBeLessThan(104);
    }
    expect(new Set(places).size).toBe(places.length);
  });

  test("is not one that others may write to", () => {
    mkdirSync(join(root, "remotes"));
    Bun.spawnSync(["chmod", "777", join(root, "remotes")]);
    expect(() => folder(root)).toThrow("not a directory of yours alone");
  });
});

test("sockets of long names, and of other addresses, are told apart", () => {
  const names = [`${"x".repeat(62)}a`, `${"x".repeat(62)}b`].map((name) => shortName(name));
  expect(new Set(names).size).toBe(2);
  const places = [
    { address: "127.0.0.1", port: 3000 },
    { address: "::1", port: 3000 },
    { address: "/run/a", port: 0 },
    { address: "/run/b", port: 0 },
  ].map((place) => socketName("box", place));
  expect(places[0]).toBe("box-3000");
  expect(new Set(places).size).toBe(4);
  for (const place of places) expect(basename(place)).toBe(place);
});
