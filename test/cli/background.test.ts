/** `server start --detach`, `stop`, `restart`, `status`, and daemons apart from the usual one. */
import { expect, test } from "bun:test";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { daemonPlace } from "../support/daemon-place.ts";
import { squatter } from "../support/squatter.ts";
import { daemonInFront } from "./cli.ts";

const patience = 120_000;

test(
  "a daemon in the background is in a session of its own, without a terminal, and outlives its client",
  async () => {
    await using place = await daemonPlace({ apart: true });
    const { pid, port } = await place.start();
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    const [, , , session, terminal] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    expect({ session: Number(session), terminal: Number(terminal) }).toEqual({
      session: pid,
      terminal: 0,
    });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    const log = await readFile(join(place.directory, "daemon.log"), "utf8");
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z localhostess /);
    expect(log).not.toContain("\x1b");
  },
  patience,
);

test(
  "asked for twice, it is the same one",
  async () => {
    await using place = await daemonPlace();
    const { pid } = await place.start();
    const again = await place.run("server", "start", "--detach");
    expect(again.code).toBe(0);
    expect(again.out).toStartWith(
      `localhostess is already running (pid ${pid}): http://localhost:`,
    );
  },
  patience,
);

test(
  "where it cannot start, its last words are the error",
  async () => {
    await using place = await daemonPlace();
    using stranger = squatter();
    const port = String(stranger.port);
    const { code, out, err } = await place.run("server", "start", "--detach", "--port", port);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`port ${port} is in use by pid ${process.pid}`);
    expect(err).toContain(join(place.directory, "daemon.log"));
    expect(place.pids()).toEqual([]);
  },
  patience,
);

test(
  "where it cannot be found, it ends, and its starter shows the reason in lines",
  async () => {
    await using place = await daemonPlace();
    await mkdir(join(place.directory, "registration.json"));
    const { code, out, err } = await place.run("server", "start", "--detach", "--port", "0");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    const [last = "", ...before] = err.trimEnd().split("\n").toReversed();
    expect(last).toStartWith(
      `localhostess: the daemon could not be started: other commands cannot find this daemon: the record ${join(place.directory, "registration.json")} cannot be written: a folder is in its place (EISDIR)`,
    );
    expect(last).toContain(join(place.directory, "daemon.log"));
    expect(before.join("\n")).not.toContain("could not be started");
    expect(err).not.toContain("\\x0a");
    expect(place.pids()).toEqual([]);
  },
  patience,
);

test(
  "another port is another daemon in its place",
  async () => {
    await using place = await daemonPlace();
    const { pid } = await place.start();
    const free = squatter();
    free[Symbol.dispose]();
    const { code, out } = await place.run(
      ...["server", "start", "--detach", "--port", String(free.port)],
    );
    expect(code).toBe(0);
    expect(out).toContain(`: http://localhost:${free.port}\n`);
    const found = await place.find();
    expect(found.registration!.pid).not.toBe(pid);
    expect((await fetch(`http://127.0.0.1:${free.port}/`)).status).toBe(200);
  },
  patience,
);

test(
  "status says who runs, by exit code, in words and as JSON; stop ends it, and twice is harmless",
  async () => {
    await using place = await daemonPlace();
    const none = await place.run("server", "status");
    expect(none.code).toBe(1);
    expect(none.out).toContain("not running: there is no record of one\n");
    expect(none.out).toContain("localhostess server start --detach");
    const { pid, port, url, version, protocol, socket } = await place.start();
    const running = await place.run("server", "status");
    expect(running.code).toBe(0);
    expect(running.out).toStartWith("running\n");
    for (const text of [pid, port, url, place.directory]) {
      expect(running.out).toContain(String(text));
    }
    const json = await place.run("server", "status", "--json");
    expect(JSON.parse(json.out)).toEqual({
      running: true,
      probe: "healthy",
      why: null,
      fix: null,
      state_directory: place.directory,
      log: join(place.directory, "daemon.log"),
      url: `http://localhost:${port}`,
      api: url,
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      ...{ pid, port, version, protocol, socket },
    });
    const stopped = await place.run("server", "stop");
    expect(stopped).toMatchObject({ code: 0, out: `stopped localhostess (pid ${pid})\n` });
    const again = await place.run("server", "stop");
    expect(again).toMatchObject({ code: 0, out: "" });
    expect(again.err).toContain("the daemon is not running");
    expect((await place.run("server", "status")).code).toBe(1);
    // Whichever verb starts one by the way says so.
    for (const verb of [
      ["registry", "list"],
      ["api", "Ping"],
    ]) {
      const { err } = await place.run(...verb);
      expect(err).toMatch(/^started localhostess \(pid \d+\); stop it with: /);
      await place.run("server", "stop");
    }
  },
  patience,
);

test(
  "stop ends one in the foreground too, which says why",
  async () => {
    await using place = await daemonPlace();
    await using daemon = await daemonInFront(place.env);
    expect((await place.run("server", "stop")).code).toBe(0);
    expect(await daemon.ended()).toBe(0);
    expect(daemon.output()).toContain("stopping, as it was asked to");
  },
  patience,
);

test(
  "restart starts one where there is none",
  async () => {
    await using place = await daemonPlace();
    const { code, out } = await place.run("server", "restart", "--port", "0");
    expect(code).toBe(0);
    expect(out).toStartWith("localhostess is running in the background (pid ");
    expect((await place.find()).kind).toBe("healthy");
  },
  patience,
);

test(
  "sandboxes have their own daemons, ports and state, and know nothing of each other",
  async () => {
    await using place = await daemonPlace();
    const usual = await place.start();
    place.env.LOCALHOSTESS_PORT = String(usual.port);
    const inside = async (name: string) => {
      const started = await place.run("--sandbox", name, "server", "start", "--detach");
      expect(started.code).toBe(0);
      const { out } = await place.run("server", "status", "--json", "--sandbox", name);
      return JSON.parse(out);
    };
    const [one, two] = [await inside("one"), await inside("two")];
    const all = [usual.pid, one.pid, two.pid];
    expect(new Set(all).size).toBe(3);
    expect(new Set([usual.port, one.port, two.port]).size).toBe(3);
    expect(one.state_directory).toBe(join(place.directory, "sandboxes", "one"));
    expect(one.socket).toBe(join(one.state_directory, "daemon.sock"));
    const environ = await readFile(`/proc/${one.pid}/environ`, "latin1");
    expect(environ.split("\0")).toContain("LOCALD_SANDBOX_ACTIVE=1");
    expect(environ.split("\0")).toContain(`LOCALD_SOCKET=${one.socket}`);
    expect((await place.run("server", "stop", "--sandbox=one")).out).toContain(`pid ${one.pid})`);
    expect(place.pids().sort()).toEqual([usual.pid, two.pid].sort());
    expect((await place.run("--sandbox", "one", "server", "restart")).code).toBe(0);
  },
  patience,
);
