/** Who starts a daemon, and who replaces one: its manager, where it has one. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { agentPath, unitPaths } from "../../src/boot/places.ts";
import { commandOfManager, type Wanted } from "../../src/boot/start-by-manager.ts";

let home: string;
let linux: Wanted;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "localhostess-manager-"));
  const env = { XDG_RUNTIME_DIR: join(home, "run") };
  linux = { home, env, platform: "linux", uid: 1000, pid: undefined };
});

afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "");
}

const words = (its: Partial<Wanted>) => commandOfManager({ ...linux, ...its })?.words;
const start = ["systemctl", "--user", "start", "localhostess.service"] as const;

test("systemd starts it where the unit is enabled and the user's manager runs, and nobody else does", async () => {
  expect(words({})).toBeUndefined();
  await put(unitPaths(linux).wanted);
  expect(words({})).toBeUndefined();
  await put(join(home, "run/systemd/private"));
  expect(words({})).toEqual([...start]);
  expect(words({ env: {} })).toBeUndefined();
  // The configuration of another place has another unit.
  expect(words({ env: { ...linux.env, XDG_CONFIG_HOME: join(home, "else") } })).toBeUndefined();
});

test("a daemon outside of the unit is replaced by whoever wants that", async () => {
  await put(unitPaths(linux).wanted);
  await put(join(home, "run/systemd/private"));
  expect(words({ pid: process.pid })).toBeUndefined();
});

test("launchd starts its agent; a daemon of its is replaced by whoever wants that", async () => {
  const mac = { platform: "darwin", uid: 501 } as const;
  expect(words(mac)).toBeUndefined();
  await put(agentPath({ home, env: {} }));
  expect(words(mac)).toEqual(["/bin/launchctl", "kickstart", "gui/501/localhostess.daemon"]);
  expect(words({ ...mac, pid: 7 })).toBeUndefined();
});
