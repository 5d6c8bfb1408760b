/** A real daemon in trouble, and real commands: what it mends is waited for, what it waits for is told. */
import { expect, test } from "bun:test";
import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serverStop } from "../../src/cli/daemon/server-stop.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { credentialPath } from "../../src/control/found/credential.ts";
import { registrationPath } from "../../src/control/found/registration.ts";
import { session } from "../cli/cli.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { projectPlace } from "../support/project-place.ts";

const patience = 120_000;

test(
  "what is spoilt beside a running daemon is mended, and the commands that come meanwhile find it",
  async () => {
    await using place = await daemonPlace();
    const registration = await place.start();
    const record = registrationPath(place.directory);
    const asked = ["registry", "list"];
    const same = async (what: string): Promise<void> => {
      const { code, err } = await place.run(...asked);
      expect({ what, code, err }).toEqual({
        what,
        code: 0,
        err: expect.not.stringContaining("started"),
      });
      expect((await place.find()).registration?.pid).toBe(registration.pid);
    };
    await rm(registration.socket);
    await same("no socket");
    await writeFile(record, JSON.stringify({ ...registration, pid: 1 }));
    await chmod(record, 0o666);
    await same("a record with another pid, which others may write");
    expect((await stat(record)).mode & 0o777).toBe(0o600);
    await chmod(credentialPath(place.directory), 0o644);
    await same("a credential that others may read");
    expect(await readFile(record, "utf8")).toContain(`"pid": ${registration.pid}`);
  },
  patience,
);

test(
  "a daemon that is stopped by a signal is told by every command, replaced by none, and used when it goes on",
  async () => {
    await using place = await daemonPlace();
    const { pid } = await place.start();
    process.kill(pid, "SIGSTOP");
    try {
      const words = `the daemon (pid ${pid}) is stopped, and answers nobody; to let it go on: kill -CONT ${pid}`;
      const verbs = [
        ["status"],
        ["registry", "list"],
        ["server", "start", "--detach"],
        ["server", "stop"],
      ];
      for (const argv of verbs) {
        const { code, out, err } = await place.run(...argv);
        expect({ argv, code, out, err }).toEqual({
          argv,
          code: 1,
          out: "",
          err: `localhostess: ${words}\n`,
        });
      }
      expect(place.pids()).toEqual([pid]);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect((await place.run("registry", "list")).code).toBe(0);
    expect((await place.run("server", "stop")).code).toBe(0);
  },
  patience,
);

test(
  "stop says which services it waits for, lets them end in their own time, and then says that it has stopped",
  async () => {
    await using place = await projectPlace();
    const done = join(place.daemon.directory, "done");
    const directory = await place.project(
      "shop",
      `[project]
name = "shop"
[services.api]
command = "trap 'while test ! -e ${done}.go; do sleep 0.05; done; touch ${done}; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
stop_timeout = "60s"
ready_pattern = "ready"
`,
    );
    const lines = await place.up(directory);
    expect(lines.at(-1)).not.toHaveProperty("Error");
    const { pid } = (await place.daemon.find()).registration!;
    let said = "";
    const screen: Screen = {
      write(text) {
        said += text;
        return true;
      },
      columns: () => undefined,
      colors: noColors,
    };
    const world: World = {
      out: screen,
      err: screen,
      env: place.daemon.env,
      platform: process.platform,
      home: place.daemon.directory,
      cwd: place.daemon.directory,
      prompt: async () => undefined,
      onSignal: () => () => {},
      onResize: () => () => {},
      exit() {},
    };
    // Far less than the service takes.
    const stopped = serverStop({}, world, { patience: 100 });
    await eventually("it is told", () => said !== "");
    // Another who stops it meanwhile waits too.
    await using second = session(["server", "stop"], { env: place.daemon.env, terminal: false });
    await second.until((text) => text.includes("the daemon is stopping already: shop:api"));
    await writeFile(`${done}.go`, "");
    expect(await stopped).toBe(0);
    expect(said).toBe(
      `the daemon (pid ${pid}) is stopping: shop:api is still ending (stop_timeout)\nstopped localhostess (pid ${pid})\n`,
    );
    expect((await stat(done)).isFile()).toBe(true);
    expect(await second.ended()).toBe(0);
    expect(second.output()).toEndWith("the daemon has stopped\n");
    expect(place.daemon.pids()).toEqual([]);
  },
  patience,
);
