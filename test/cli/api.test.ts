/** api, and the verbs that go to the daemon, with the real program and a real daemon. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Registration } from "../../src/control/found/protocol.ts";
import { type DaemonPlace, daemonPlace, endNow } from "../support/daemon-place.ts";
import { cli, session } from "./cli.ts";
import { type TestServer, testServer } from "./server-process.ts";

let place: DaemonPlace;
let daemon: Registration;
let server: TestServer;

beforeAll(async () => {
  [place, server] = await Promise.all([daemonPlace(), testServer()]);
  daemon = await place.start();
});

afterAll(async () => {
  await Promise.all([place[Symbol.asyncDispose](), server.end()]);
});

const api = async (...args: string[]) => {
  const { code, out, err } = await place.run("api", ...args);
  return { code, err, value: out === "" ? undefined : (JSON.parse(out) as unknown) };
};

describe("api", () => {
  test("without a command lists them all", async () => {
    const { code, out } = await place.run("api");
    expect(code).toBe(0);
    expect(out).toContain("Shutdown");
  });

  test("sends a command by its name, in any spelling, by either door", async () => {
    expect(await api("Ping")).toEqual({ code: 0, err: "", value: "Pong" });
    expect((await api("ping", "--http")).value).toEqual({ pong: true });
    for (const spelled of ["GetVersion", "get-version", "getversion"]) {
      expect((await api(spelled)).value).toEqual({ Version: "0.1.0" });
    }
    expect((await api("Daemon")).value).toMatchObject({
      Daemon: { id: daemon.id, pid: daemon.pid, state_directory: place.directory },
    });
  });

  test.each(["ipc", "http"])("passes on what the command is given, by %s", async (door) => {
    const flags = door === "http" ? ["--http"] : [];
    await cli(["ls"], { env: place.env });
    const input = JSON.stringify({ name: server.name });
    const { value } = await api("Service", input, ...flags);
    const row = door === "http" ? value : (value as { Service: object }).Service;
    expect(row).toMatchObject({ name: server.name, port: server.port, pid: server.pid });
    const none = await api("Requests", '{"limit":5,"service":"nobody"}', ...flags);
    expect(none.value).toEqual(door === "http" ? [] : { Requests: [] });
  });

  test.each(["ipc", "http"])("an error is printed and is a failure, by %s", async (door) => {
    const { code, value } = await api(
      "Service",
      '{"name":""}',
      ...(door === "http" ? ["--http"] : []),
    );
    expect(code).toBe(1);
    expect(value).toMatchObject({ error: { code: "bad_request" } });
  });

  test("mistakes in what is typed are usage errors", async () => {
    expect(await api("Pong")).toMatchObject({
      code: 2,
      err: expect.stringContaining("did you mean Ping?"),
    });
    expect(await api("AiSchema")).toMatchObject({
      code: 2,
      err: expect.stringContaining("no AiSchema"),
    });
    for (const json of ["{", "1", "[]", '"x"']) {
      expect(await api("Requests", json)).toMatchObject({ code: 2, value: undefined });
    }
  });

  test.each([[[]], [["--http"]]])(
    "follows a stream until Ctrl-C, a line for each event %p",
    async (flags) => {
      await using following = session(["api", "events", ...flags], {
        env: place.env,
        terminal: false,
      });
      await following.until((text) => text.includes('"event":"hello"'));
      await using other = await testServer();
      const text = await following.until((its) => its.includes(`"name":"${other.name}"`));
      const events = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; id: string });
      expect(events[0]!.event).toBe("hello");
      expect(events[0]!.id).toEndWith(`-${daemon.id.slice(0, 8)}`);
      following.signal("SIGINT");
      expect(await following.ended()).toBe(0);
    },
  );

  test("a request through the proxy is an event, and in the list", async () => {
    await using following = session(["api", "events"], { env: place.env, terminal: false });
    await following.until((text) => text.includes('"event":"hello"'));
    const url = `http://127.0.0.1:${daemon.port}/a/path?with=query`;
    await fetch(url, { headers: { Host: `${server.name}.localhost:${daemon.port}` } });
    await following.until((text) => text.includes("/a/path?with=query"));
    const { value } = await api("Requests", JSON.stringify({ service: server.name, limit: 1 }));
    expect(value).toMatchObject({
      Requests: [{ service: server.name, target: "/a/path?with=query", status: 200 }],
    });
    following.signal("SIGINT");
    await following.ended();
  });
});

describe("the verbs", () => {
  test("go to the daemon, which looks first, and tell what they would without", async () => {
    await using late = await testServer();
    const through = await cli(["ls", "--json"], { env: place.env });
    const alone = await cli(["ls", "--json", "--scanner", "procfs"], { env: place.env });
    type Row = { name: string; url: string };
    const rows = (its: { out: string }) =>
      (JSON.parse(its.out) as Row[]).filter(({ name }) => [late.name, server.name].includes(name));
    expect(rows(through)).toHaveLength(2);
    expect(rows(through)).toEqual(rows(alone));
    expect(through.err).toBe("");
    for (const verb of ["url", "port"]) {
      const both = await Promise.all([
        cli([verb, late.name, "--json"], { env: place.env }),
        cli([verb, late.name, "--json", "--scanner", "procfs"], { env: place.env }),
      ]);
      expect(both[0]).toEqual(both[1]!);
      expect(both[0]!.code).toBe(0);
    }
    expect(
      JSON.parse((await cli(["why", late.name, "--json"], { env: place.env })).out),
    ).toHaveLength(6);
  });

  test("work without one; where one runs that they cannot use, they end with 1", async () => {
    const record = join(place.directory, "registration.json");
    const copied = JSON.parse(await readFile(record, "utf8")) as Registration;
    await using empty = await daemonPlace();
    const mute = join(empty.directory, "mute.sock");
    const silent = Bun.listen({ unix: mute, socket: { data() {} } });
    const odd = join(empty.directory, "odd.sock");
    const answering = Bun.listen({
      unix: odd,
      socket: { data: (socket) => void socket.end("<html>\n") },
    });
    // The credential of none of them is in the state directory of whoever asks.
    const records: [wanted: number, its: Registration | undefined][] = [
      [0, undefined],
      [0, { ...copied, url: "http://127.0.0.1:1", socket: "/nowhere/daemon.sock" }],
      [1, { ...copied, socket: "/nowhere/daemon.sock" }],
      [1, { ...copied, id: "another-launch" }],
      [1, { ...copied, protocol: "localhostess/99" }],
      [1, { ...copied, socket: mute }],
      [1, { ...copied, socket: odd }],
    ];
    const cases = records.map(async ([wanted, its]) => {
      await using other = await daemonPlace();
      const path = join(other.directory, "registration.json");
      if (its !== undefined) await writeFile(path, JSON.stringify(its), { mode: 0o600 });
      const { code, out, err } = await cli(["ls", "--json"], { env: other.env });
      expect({ its, code, err }).toEqual({ its, code: wanted, err: expect.any(String) });
      expect(err.includes("there is no credential")).toBe(wanted === 1);
      const names = (JSON.parse(out) as { name: string }[]).map(({ name }) => name);
      expect(names).toContain(server.name);
    });
    try {
      await Promise.all(cases);
    } finally {
      silent.stop(true);
      answering.stop(true);
    }
  }, 60_000);

  test("open and api start the daemon that is missing", async () => {
    await using its = await daemonPlace();
    const env = { ...its.env, LOCALHOSTESS_PORT: "0", PATH: its.directory };
    for (const name of ["open", "xdg-open", "wslview"]) {
      const path = join(its.directory, name);
      await writeFile(path, `#!/bin/sh\necho "$1" > '${its.directory}/said'\n`);
      await chmod(path, 0o755);
    }
    const opened = await cli(["open", server.name], { env });
    expect(opened).toMatchObject({
      code: 0,
      err: expect.stringContaining("started localhostess (pid "),
    });
    const found = await its.find();
    expect(await readFile(join(its.directory, "said"), "utf8")).toBe(
      `http://${server.name}.localhost:${found.registration!.port}/\n`,
    );
    endNow(found.registration!.pid);
    expect(await cli(["api", "ping"], { env })).toMatchObject({ code: 0, out: '"Pong"\n' });
    expect((await its.find()).kind).toBe("healthy");
  });
});

test("trust is looked at by the daemon, too", async () => {
  const { code, value } = await api("Trust", '{"action":"status"}');
  const alone = await place.run("trust", "--status", "--json");
  expect(code).toBe(0);
  expect((value as { Trust: unknown }).Trust).toEqual(JSON.parse(alone.out));
  expect(await api("Trust", '{"action":"status","bare_names":true}')).toMatchObject({
    code: 1,
    value: { error: { code: "bad_request" } },
  });
});

test("the credential is in no process's arguments or environment, nor in the log", async () => {
  const credential = (await readFile(join(place.directory, "credential"), "utf8")).trim();
  await Promise.all([place.run("api", "Ping", "--http"), place.run("api", "Logs")]);
  const files = [
    `/proc/${daemon.pid}/cmdline`,
    `/proc/${daemon.pid}/environ`,
    join(place.directory, "daemon.log"),
  ];
  for (const file of files) expect(await readFile(file, "utf8")).not.toContain(credential);
  expect((await place.run("api", "Daemon")).out).not.toContain(credential);
});
