/** Folders that `uninstall` takes away: all that we make, and nothing of anybody else. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownFolders } from "../../../src/cli/install/own-folders.ts";
import { storesFolder } from "../../../src/stores/folders.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "localhostess-own-"));
});
afterEach(() => rmSync(place, { recursive: true }));

const uid = process.getuid?.() ?? -1;

function options(env: Record<string, string> = {}) {
  const home = join(place, "home");
  return {
    ...{ home, uid, platform: "linux" as const },
    env: { XDG_RUNTIME_DIR: join(place, "run"), XDG_CACHE_HOME: join(place, "cache"), ...env },
    state: join(place, "state"),
    configFile: join(home, ".config/localhostess/config.toml"),
    root: place,
  };
}

function made(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "file"), "12345");
  }
}

test("a machine without any has none", () => {
  expect(ownFolders(options())).toEqual([]);
});

test("each is found with its size: data first, a sandbox's own databases too", () => {
  const stores = join(place, "disk");
  const its = options({ LOCALHOSTESS_STORES_DIR: stores });
  const sandbox = join(its.state, "sandboxes/try");
  const [usual, tried] = [its.state, sandbox].map((state) => storesFolder(state, its));
  made(usual!, tried!, its.state, sandbox, join(its.home, ".config/localhostess"));
  made(join(place, "cache/localhostess"), join(place, "run/localhostess"));
  made(
    join(place, `tmp/localhostess-${uid}`),
    join(place, `tmp/localhostess-${uid}-0123456789abcdef`),
  );
  // Not ours by its name: another user's, a test's, another program's.
  made(join(place, "tmp/localhostess-99999"), join(place, `tmp/localhostess-${uid}x`));
  made(join(place, "run/localhostessen"), join(place, "cache/other"));
  expect(ownFolders(its)).toEqual([
    { id: "databases", path: usual!, bytes: 5 },
    { id: "databases", path: tried!, bytes: 5 },
    { id: "state", path: its.state, bytes: 10 },
    { id: "configuration", path: join(its.home, ".config/localhostess"), bytes: 5 },
    { id: "cache", path: join(place, "cache/localhostess"), bytes: 5 },
    { id: "sockets", path: join(place, "run/localhostess"), bytes: 5 },
    { id: "sockets", path: join(place, `tmp/localhostess-${uid}`), bytes: 5 },
    { id: "sockets", path: join(place, `tmp/localhostess-${uid}-0123456789abcdef`), bytes: 5 },
  ]);
});

test("of a configuration file in another folder, the file alone is ours", () => {
  const configFile = join(place, "etc/mine.toml");
  mkdirSync(join(place, "etc"));
  writeFileSync(configFile, "1");
  expect(ownFolders({ ...options(), configFile })).toEqual([
    { id: "configuration", path: configFile, bytes: 1 },
  ]);
});
