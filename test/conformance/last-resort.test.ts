/** A daemon that does not go when it is asked: signalled, but only as long as it proves that it is the one. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { readRegistration, writeRegistration } from "../../src/control/found/registration.ts";
import { serverStop } from "../../src/cli/daemon/server-stop.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { daemonPlace, endNow } from "../support/daemon-place.ts";
import { running } from "../support/running.ts";

const fixture = join(import.meta.dir, "fixtures/other-daemon.ts");

function world(directory: string): { world: World; said(): string } {
  let text = "";
  const screen: Screen = {
    write(its) {
      text += its;
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  };
  return {
    said: () => text,
    world: {
      out: screen,
      err: screen,
      env: { LOCALHOSTESS_STATE_DIR: directory },
      platform: "linux",
      home: directory,
      cwd: directory,
      prompt: () => Promise.resolve(undefined),
      onSignal: () => () => {},
      onResize: () => () => {},
      exit() {},
    },
  };
}

test("one that answers the probe and stays is sent SIGTERM", async () => {
  await using place = await daemonPlace();
  const daemon = await running([process.execPath, fixture, place.directory, "localhostess/2"], {
    env: {},
    ready: /^published$/m,
  });
  try {
    const { world: its, said } = world(place.directory);
    expect(await serverStop({}, its, { patience: 200 })).toBe(0);
    expect(said()).toBe(`stopped localhostess (pid ${daemon.pid})\n`);
    expect(await daemon.stop()).toBe("SIGTERM");
  } finally {
    await daemon.end();
  }
});

test("whose record names somebody else's pid signals nobody", async () => {
  await using place = await daemonPlace();
  const victim = Bun.spawn(["sleep", "600"], { detached: true });
  const daemon = await running([process.execPath, fixture, place.directory, "localhostess/2"], {
    env: {},
    ready: /^published$/m,
  });
  try {
    const record = await readRegistration(place.directory);
    await writeRegistration(place.directory, { ...record!, pid: victim.pid });
    const { world: its, said } = world(place.directory);
    await expect(serverStop({}, its, { patience: 200 })).rejects.toThrow(
      `the daemon that runs (pid ${daemon.pid}) is not the one in the record (pid ${victim.pid})`,
    );
    expect(said()).not.toContain("not running");
    expect(victim.signalCode).toBeNull();
    expect((await place.find()).kind).toBe("another");
  } finally {
    endNow(victim.pid);
    await victim.exited;
    await daemon.end();
  }
});
