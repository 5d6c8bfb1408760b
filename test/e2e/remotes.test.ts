/** Two machines with an sshd each, on this one: their servers by name, and what happens while one cannot be reached. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RemoteRow } from "../../src/routes/remote-report.ts";
import type { ServiceRow } from "../../src/routes/service-row.ts";
import { cli, type Ended } from "../cli/cli.ts";
import { type DaemonPlace, daemonPlace, endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Client,
  lackingMachines,
  otherMachine,
  type OtherMachine,
  sshClient,
} from "../support/other-machine.ts";

setDefaultTimeout(120_000);

const lacking = lackingMachines();

describe.skipIf(lacking !== "")(`other machines${lacking}`, () => {
  let folder: string;
  let place: DaemonPlace;
  let client: Client;
  let port: number;
  let [box, pi, shy]: OtherMachine[] = [];
  let here: ReturnType<typeof Bun.serve>;

  const serve = async (machine: OtherMachine, name: string, at: number, address = "127.0.0.1") => {
    const says = `${name} of ${machine.name}`;
    const pid = await machine.order({ kind: "serve", name, address, port: at, says });
    return pid as number;
  };

  /** The status and the text of an answer; no connection is kept. */
  const get = async (name: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { Host: `${name}.localhost`, Connection: "close" },
    });
    return [answer.status, await answer.text()];
  };

  const answered = (name: string, machine: OtherMachine): [number, string] => [
    200,
    `${name} of ${machine.name} ${name}.${machine.name}.localhost`,
  ];

  const run = (...words: string[]): Promise<Ended> => place.run(...words);

  const remotes = async (): Promise<RemoteRow[]> =>
    JSON.parse((await run("remote", "list", "--json")).out) as RemoteRow[];

  const remote = async (name: string): Promise<RemoteRow> =>
    (await remotes()).find((its) => its.name === name)!;

  const names = async (): Promise<string[]> =>
    (JSON.parse((await run("ls", "--json")).out) as ServiceRow[])
      .filter(({ source }) => source === "remote")
      .map(({ name }) => name);

  /** The processes of ssh that belong to the daemons of this place. */
  const sshs = (): number[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
          return words.includes("ControlMaster=yes") && words.includes(place.directory);
        } catch {
          // The process has ended.
          return false;
        }
      });

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "localhostess-machines-")));
    place = await daemonPlace({ apart: true });
    client = await sshClient(folder);
    const its = (name: string) => ({ name, folder: join(folder, name), authorized: client.key });
    // One has a localhostess of its own, in a PATH that ssh's sessions have there.
    const there = join(folder, "there");
    await Bun.write(
      join(there, "localhostess"),
      `#!/bin/sh\nexec ${process.execPath} ${resolve(import.meta.dir, "../../src/main.ts")} "$@"\n`,
    );
    Bun.spawnSync(["chmod", "755", join(there, "localhostess")]);
    [box, pi, shy] = await Promise.all([
      otherMachine(its("box")),
      otherMachine({
        ...its("pi"),
        variables: {
          PATH: `${there}:/usr/sbin:/usr/bin:/sbin:/bin`,
          LOCALHOSTESS_STATE_DIR: join(there, "state"),
        },
      }),
      otherMachine({ ...its("shy"), config: "AllowTcpForwarding no" }),
    ]);
    await client.configure([box, pi, shy], ["box", "pi"]);
    await Promise.all([
      serve(box, "api", 3000),
      serve(pi, "api", 3000),
      serve(pi, "six", 3001, "::1"),
    ]);
    here = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("here") });
    await writeFile(join(folder, "config.toml"), '[remotes.box]\nhost = "box"\n');
    Object.assign(place.env, {
      PATH: `${client.bin}:${process.env.PATH}`,
      LOCALHOSTESS_CONFIG: join(folder, "config.toml"),
      SSH_AUTH_SOCK: undefined,
    });
    ({ port } = await place.start());
    expect((await run("name", "here", String(here.port))).code).toBe(0);
  });

  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await eventually("every ssh ends", () => sshs().length === 0);
    await Promise.all([box, pi, shy].map((its) => its?.[Symbol.asyncDispose]()));
    await here?.stop(true);
    await rm(folder, { recursive: true, force: true });
  });

  test("a server there answers by its name from the first request on", async () => {
    expect(await get("api.box")).toEqual(answered("api", box!));
  });

  test("remote add connects, and says what runs there; both machines may have one name", async () => {
    const added = await run("remote", "add", "pi");
    expect([added.code, added.out]).toEqual([0, "pi is connected: 2 servers: api.pi, six.pi\n"]);
    expect(await get("api.pi")).toEqual(answered("api", pi!));
    expect(await get("six.pi")).toEqual(answered("six", pi!));
    expect(await get("api.box")).toEqual(answered("api", box!));
    expect(await names()).toEqual(["api.box", "api.pi", "six.pi"]);
    expect(
      (await remotes()).map(({ name, state, by, source }) => [name, state, by, source]),
    ).toEqual([
      ["pi", "up", "localhostess", "kept"],
      ["box", "up", "script", "config"],
    ]);
  });

  test("what speaks TLS, listens on a unix socket, or talks by WebSocket there is reached like a server here", async () => {
    const [key, cert] = [join(folder, "tls.key"), join(folder, "tls.pem")];
    const made = Bun.spawnSync([
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-nodes", "-subj", "/CN=there", "-days", "2", "-keyout", key, "-out", cert],
    ]);
    expect(made.success).toBe(true);
    const tls = { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() };
    const socket = join(folder, "there.sock");
    const place = {
      kind: "serve",
      address: "127.0.0.1",
      port: 3443,
      says: "x",
      name: "x",
    } as const;
    const pids = await Promise.all([
      box!.order({ ...place, name: "safe", says: "safe of box", tls }),
      pi!.order({ ...place, address: socket, port: 0, says: "socket of pi" }),
    ]);
    expect(await get("safe.box")).toEqual(answered("safe", box!));
    const named = await cli(["name", "socket", `unix:${socket}`], {
      env: { LOCALHOSTESS_STATE_DIR: join(folder, "there/state") },
    });
    expect([named.code, named.err]).toEqual([0, ""]);
    expect(await get("socket.pi")).toEqual(answered("socket", pi!));
    const talk = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: { Host: "api.box.localhost" },
    });
    const heard = Promise.withResolvers<unknown>();
    talk.onopen = () => talk.send("there and");
    talk.onmessage = ({ data }) => heard.resolve(data);
    talk.onerror = () => heard.reject(new Error("the WebSocket failed"));
    expect(await heard.promise).toBe("there and back");
    talk.close();
    await box!.order({ kind: "end", pid: pids[0] as number });
    await pi!.order({ kind: "end", pid: pids[1] as number });
  });

  test("why shows the hop", async () => {
    const { code, out } = await run("why", "api.pi");
    expect(code).toBe(0);
    const hop = out.split("\n").find((line) => line.startsWith("ok    hop"));
    expect(hop).toMatch(/over ssh to pi, connected for .* \(pid \d+, .*\/pi\.\d+\.ssh\)/);
    expect(hop).toMatch(/\/pi-3000 leads to 127\.0\.0\.1 port 3000 there; found by localhostess/);
  });

  test("nothing but sockets of ours leads there: no port of either side is open, whatever ssh's configuration says", async () => {
    const { control, services } = await remote("box");
    const modes = [control!, ...services.map(({ socket }) => socket!)].map((path) => {
      const { mode } = lstatSync(path);
      return [lstatSync(path).isSocket(), mode & 0o077];
    });
    expect(modes).toEqual(modes.map(() => [true, 0]));
    const listening = ["tcp", "tcp6"].flatMap((table) =>
      readFileSync(`/proc/net/${table}`, "latin1")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter((words) => words[3] === "0A")
        .map((words) => words[9]),
    );
    for (const pid of sshs()) {
      const held = readdirSync(`/proc/${pid}/fd`).filter((name) => {
        const link = Bun.spawnSync(["readlink", `/proc/${pid}/fd/${name}`]).stdout.toString();
        return listening.includes(/socket:\[(\d+)\]/.exec(link)?.[1]);
      });
      expect([pid, held]).toEqual([pid, []]);
    }
    expect(await box!.order({ kind: "listening" })).toEqual([]);
  });

  test("a server that has just been started there is found by its first request, and is gone when it has ended", async () => {
    for (const machine of [box!, pi!]) {
      const pid = await serve(machine, "late", 3005);
      // By a request, or by a command.
      if (machine === pi) expect((await run("url", "late.pi")).code).toBe(0);
      expect(await get(`late.${machine.name}`)).toEqual(answered("late", machine));
      await machine.order({ kind: "end", pid });
      await eventually("it is gone", async () => (await get(`late.${machine.name}`))[0] === 404);
    }
    const [status, text] = await get("late.box");
    expect([status, text]).toEqual([
      404,
      "localhostess: no server on box is named late.box; did you mean api.box? running: api.box\n",
    ]);
  });

  test("links that are killed come back by themselves", async () => {
    for (const machine of [box!, pi!]) await machine.order({ kind: "signal", signal: "SIGKILL" });
    await eventually("both are back", async () =>
      (await remotes()).every(({ state, services }) => state === "up" && services.length > 0),
    );
    expect(await get("api.box")).toEqual(answered("api", box!));
    expect(await get("api.pi")).toEqual(answered("api", pi!));
    expect(sshs()).toHaveLength(2);
  });

  test("a host key that nobody has accepted is a clear sentence, and no request asks again", async () => {
    const added = await run("remote", "add", "shy");
    expect([added.code, added.out]).toEqual([0, "shy is not connected yet\n"]);
    expect(added.err).toContain("its host key is not known here");
    expect(added.err).toContain("run once, and compare the key it shows: ssh shy");
    const before = shy!.connections;
    const [status, text] = await get("api.shy");
    expect([status, text]).toEqual([
      502,
      expect.stringContaining(
        "api.shy is on shy, which is refused: its host key is not known here",
      ),
    ]);
    const why = await run("why", "api.shy");
    expect([why.code, why.out]).toEqual([1, expect.stringContaining("host key is not known")]);
    await get("api.shy");
    expect(shy!.connections).toBe(before);
    expect((await run("remote", "retry", "shy")).code).toBe(1);

    // A person accepts it. This sshd forbids what `ssh -L` does, which only a request finds out.
    await client.configure([box!, pi!, shy!], ["box", "pi", "shy"]);
    await serve(shy!, "api", 3000);
    expect((await run("remote", "retry", "shy")).code).toBe(0);
    expect((await get("api.shy"))[0]).toBe(502);
    expect((await run("remote")).err).toContain("shy: its sshd does not let us connect");
    expect((await run("remote", "remove", "shy")).code).toBe(0);
    expect((await run("remote", "remove", "shy")).code).toBe(1);
  });

  test("a machine that sleeps delays nothing but its own names, which say so in time", async () => {
    expect((await get("here"))[0]).toBe(200);
    box!.sleep();
    const worst = { here: 0, pi: 0, ls: 0 };
    const measured = async (what: keyof typeof worst, act: () => Promise<unknown>) => {
      const began = performance.now();
      await act();
      worst[what] = Math.max(worst[what], performance.now() - began);
    };
    let over = false;
    const others = (async () => {
      while (!over) {
        await measured("here", async () => expect((await get("here"))[0]).toBe(200));
        await measured("pi", async () => expect(await get("api.pi")).toEqual(answered("api", pi!)));
        await measured("ls", async () => expect((await run("ls")).code).toBe(0));
      }
    })();
    const began = performance.now();
    const first = await get("api.box");
    const took = performance.now() - began;
    expect([first[0] >= 502, took < 15_000]).toEqual([true, true]);
    await eventually("it is known to sleep", async () => (await get("api.box"))[0] === 504);
    const again = performance.now();
    expect((await get("api.box"))[0]).toBe(504);
    expect(performance.now() - again).toBeLessThan(6_000);
    expect((await run("ls")).err).toContain("box: asleep or out of reach");
    over = true;
    await others;
    // Whoever waits for the machine waits for four seconds or five. A command is a process of its own.
    expect(worst.here).toBeLessThan(2_000);
    expect(worst.pi).toBeLessThan(2_000);
    expect(worst.ls).toBeLessThan(4_000);
    box!.wake();
    await eventually("it is awake", async () => (await get("api.box"))[0] === 200);
  });

  test("the next daemon connects again, and no ssh is left of one that was replaced or killed", async () => {
    const before = new Set(sshs());
    expect((await run("server", "restart")).code).toBe(0);
    ({ port } = (await place.find()).registration!);
    expect(await get("api.box")).toEqual(answered("api", box!));
    await eventually("the old ones are gone", () => !sshs().some((pid) => before.has(pid)));
    for (const pid of place.pids()) endNow(pid);
    await eventually("no ssh outlives the daemon", () => sshs().length === 0);
    const folders = () => readdirSync(join(place.directory, "remotes"));
    const [left] = folders();
    ({ port } = await place.start());
    expect(await get("api.pi")).toEqual(answered("api", pi!));
    expect(folders()).not.toContain(left);
    expect(folders()).toHaveLength(1);
  });
});
