/** How the process was started, and what it becomes when its daemon is replaced; the way of a machine. */
import { expect, test } from "bun:test";
import { startedBy, whenReplaced } from "../../src/boot/started-by.ts";
import { betterWays, wayOf } from "../../src/boot/way.ts";

const usual = { pid: 700, parent: 650, platform: "linux", background: false, env: {} } as const;

test("each start is told from the others", () => {
  expect(startedBy(usual)).toBe("anybody");
  expect(startedBy({ ...usual, pid: 1, parent: 0 })).toBe("container");
  // A first process that systemd has started in a container of its own still has to stay.
  expect(startedBy({ ...usual, pid: 1, parent: 0, env: { NOTIFY_SOCKET: "/n" } })).toBe(
    "container",
  );
  expect(startedBy({ ...usual, parent: 1, env: { NOTIFY_SOCKET: "/n" } })).toBe("systemd");
  expect(startedBy({ ...usual, parent: 1 })).toBe("init");
  expect(startedBy({ ...usual, parent: 1, background: true })).toBe("anybody");
  const mac = { ...usual, platform: "darwin", background: true } as const;
  const env = { XPC_SERVICE_NAME: "localhostess.daemon" };
  expect(startedBy({ ...mac, parent: 1, env })).toBe("launchd");
  // A terminal passes on the variable of whatever has started it.
  expect(startedBy({ ...mac, env })).toBe("anybody");
  expect(startedBy({ ...mac, parent: 1, env: { XPC_SERVICE_NAME: "0" } })).toBe("anybody");
});

test("whoever is waited for does not end before the last daemon does", () => {
  const all = Object.entries(whenReplaced).map(([by, its]) => [
    by,
    its["same unit"],
    its.elsewhere,
  ]);
  expect(all).toEqual([
    ["anybody", "keeps", "keeps"],
    ["systemd", "keeps", "ends"],
    ["launchd", "minds", "minds"],
    ["container", "minds", "minds"],
    ["init", "minds", "minds"],
  ]);
});

test("the way of a machine, and what would be better", () => {
  const none = { platform: "linux", hasSystemd: false, isWsl: false, isContainer: false } as const;
  expect(wayOf({ ...none, hasSystemd: true, isWsl: true })).toBe("systemd");
  expect(wayOf({ ...none, platform: "darwin" })).toBe("launchd");
  expect(wayOf(none)).toBe("profile");
  expect(betterWays("systemd", none)).toEqual([]);
  expect(betterWays("profile", { ...none, isWsl: true }).join()).toContain("[boot] systemd=true");
  expect(betterWays("profile", { ...none, isContainer: true }).join()).toContain(
    "localhostess server start",
  );
});
