/** The IPC socket: requests in every shape, their replies, and who is served. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "../../src/control/commands/commands.ts";
import { conversationVersion } from "../../src/control/found/handover.ts";
import { socketAuthority } from "../../src/control/found/handshake.ts";
import { type IpcDoorOptions, ipcDoor } from "../../src/control/ipc/ipc.ts";
import { socketPath } from "../../src/control/ipc/socket-path.ts";
import { clientProof, daemonProof } from "../../src/control/found/proof.ts";
import { hangUps } from "../../src/system/hang-up.ts";
import { peerCredentials } from "../../src/system/peer-credentials.ts";
import { TakenOver } from "../../src/supervisor/handed.ts";
import type { Projects } from "../../src/supervisor/projects.ts";
import { jsonForm } from "../../src/routes/json-form.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-end.ts";
import { asOther, asRoot, canBeOther } from "../support/other-user.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { steadyClock } from "../support/steady-clock.ts";
import { api, fakeBackend, requestTo, once } from "./doors.ts";

const uid = process.getuid!();
let directory = "";
const doors: ReturnType<typeof ipcDoor>[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lh-ipc-"));
});

afterAll(async () => {
  await Promise.all(doors.map((door) => door.stop()));
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
const credential = "ab".repeat(32);

function ipc(options: Partial<IpcDoorOptions> = {}) {
  const backend = fakeBackend();
  const faults: unknown[] = [];
  const door = ipcDoor({
    path: join(directory, `${count++}.sock`),
    clock: steadyClock(),
    backend,
    peers: peerCredentials(process.platform),
    hasHungUp: hangUps(),
    uid,
    credential: () => credential,
    fault: (error) => void faults.push(error),
    ...options,
  });
  doors.push(door);
  door.claim();
  return { door, backend, faults, path: door.path };
}

const errorIn = (reply: string): string =>
  (JSON.parse(reply) as { error: { code: string } }).error.code;

describe("a request", () => {
  const endings: [string, (text: string) => string, boolean][] = [
    ["a newline", (text) => `${text}\n`, false],
    ["CR and LF", (text) => `${text}\r\n`, false],
    ["its half-close", (text) => text, true],
    ["nothing, as the first locald's client", (text) => text, false],
    ["a newline and more behind it", (text) => `${text}\nrubbish{`, false],
  ];

  test.each(endings)("may end with %s", async (_, spelled, half) => {
    const { path } = ipc();
    for (const [request, reply] of [
      ['"Ping"', '"Pong"\n'],
      ['{"Ping":null}', '"Pong"\n'],
      ['{"Ping":{}}', '"Pong"\n'],
      ['"GetVersion"', '{"Version":"0.1.0"}\n'],
    ] as const) {
      expect(await once(path, spelled(request), { half })).toBe(reply);
    }
  });

  test("may come in single bytes, and in pieces that look whole", async () => {
    const { path } = ipc();
    const client = await connectRaw({ unix: path });
    await client.sendEach('{"Requests":{"service":"api","limit":1}}\n');
    expect(JSON.parse(await client.rest())).toEqual({ Requests: [jsonForm(requestTo("api"))] });
  });

  test("has the first locald's replies", async () => {
    const { path, backend } = ipc();
    const status = JSON.parse(await once(path, '"Status"\n')) as { Status: object[] };
    expect(Object.keys(status)).toEqual(["Status"]);
    expect(status.Status[0]).toMatchObject({ name: "api", status: "running", port: 3000 });
    expect(await once(path, '"Shutdown"\n')).toBe('"Ok"\n');
    expect(backend.ended).toBe(1);
  });

  test.each([
    ["", "bad_json"],
    ["\n", "bad_json"],
    ["{", "bad_json"],
    ['{"Ping"', "bad_json"],
    ["Ping\n", "bad_json"],
    ["\xff\xfe\n", "bad_json"],
    ['"\\ud800"\n', "unknown_command"],
    ["null\n", "bad_request"],
    ["1\n", "bad_request"],
    ["[]\n", "bad_request"],
    ["{}\n", "bad_request"],
    ['["Ping"]\n', "bad_request"],
    ['{"Ping":{},"Status":{}}\n', "bad_request"],
    ['{"Ping":{"x":1}}\n', "bad_request"],
    ['{"Ping":"x"}\n', "bad_request"],
    ['"Pong"\n', "unknown_command"],
    ['"ping"\n', "unknown_command"],
    ['"constructor"\n', "unknown_command"],
    ['"__proto__"\n', "unknown_command"],
    ['"toString"\n', "unknown_command"],
    ['{"hasOwnProperty":{}}\n', "unknown_command"],
    ['{"__proto__":{}}\n', "unknown_command"],
    ['{"constructor":{"prototype":{}}}\n', "unknown_command"],
    ['{"Ping":{"toString":1}}\n', "bad_request"],
    ['{"Ping":{"constructor":{}}}\n', "bad_request"],
    ['{"Ping":{"__proto__":{}}}\n', "bad_request"],
    ['{"Service":{"name":"nobody","valueOf":1}}\n', "bad_request"],
    ['{"Service":{"__proto__":{"name":"nobody"}}}\n', "bad_request"],
    ['{"Start":{"project_path":"/x","verbose":false}}\n', "unsupported"],
    ['"StopAll"\n', "unsupported"],
    ['{"Service":{"name":"nobody"}}\n', "not_found"],
    ['"Dashboard"\n', "unsupported"],
  ])("%p is answered with %s", async (request, code) => {
    const { path, faults } = ipc();
    expect(errorIn(await once(path, Buffer.from(request, "latin1"), { half: true }))).toBe(code);
    expect(faults).toEqual([]);
  });

  test("that is too long is told so, with a newline and without an end", async () => {
    const { path } = ipc();
    const long = `"${"x".repeat(1024 * 1024)}"\n`;
    expect(errorIn(await once(path, long))).toBe("too_long");
    const client = await connectRaw({ unix: path });
    // It goes on and on: nobody reads it, and nothing grows.
    for (let n = 0; n < 64 && !client.over; n++) await client.send("x".repeat(64 * 1024)).sent();
    expect(errorIn(await client.rest())).toBe("too_long");
  });

  test("of just below the limit is read", async () => {
    const { path } = ipc();
    const name = "x".repeat(1024 * 1024 - 40);
    expect(errorIn(await once(path, `{"Service":{"name":"${name}"}}\n`))).toBe("bad_request");
  });

  test("nested deeply is no request", async () => {
    const { path } = ipc();
    expect(errorIn(await once(path, `${"[".repeat(500_000)}\n`))).toBe("bad_json");
    expect(errorIn(await once(path, `${'{"a":'.repeat(100)}1${"}".repeat(100)}\n`))).toBe(
      "bad_json",
    );
  });

  test("that does not come is told so", async () => {
    const clock = new FakeClock();
    const { path, door } = ipc({ clock });
    const client = await connectRaw({ unix: path });
    client.send('{"Ping":');
    await eventually("it is there", () => door.connections === 1);
    clock.advance(10_000);
    expect(errorIn(await client.rest())).toBe("timeout");
    client.close();
    await eventually("it is gone", () => door.connections === 0);
    expect(clock.waiting).toBe(0);
  });

  test("whose client dies in the middle harms nobody", async () => {
    const { path, door, faults } = ipc();
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw({ unix: path })));
    for (const [index, client] of clients.entries()) {
      client.send(['"Status"\n', '{"Stat', '"Events"\n', ""][index % 4]!);
      client.reset();
    }
    await eventually("all are gone", () => door.connections === 0);
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
    expect(faults).toEqual([]);
  });

  test("whose reply is taken slowly gets all of it", async () => {
    const clock = new FakeClock();
    const services = Array.from({ length: 40_000 }, (_, n) => ({ ...api, name: `api-${n}` }));
    const { path, door } = ipc({ clock, backend: fakeBackend({ services }) });
    const client = await connectRaw({ unix: path });
    client.pause();
    client.send('"Status"\n');
    await once(path, '"Ping"\n');
    clock.advance(30_000);
    client.resume();
    expect(JSON.parse(await client.rest()).Status).toHaveLength(40_000);
    client.close();
    await eventually("it is gone", () => door.connections === 0);
  });

  test("that hits a fault of ours learns no more than that", async () => {
    const backend = fakeBackend();
    backend.look = () => Promise.reject(new Error("secret"));
    const { path, faults } = ipc({ backend });
    const reply = await once(path, '"Look"\n');
    expect(errorIn(reply)).toBe("internal");
    expect(reply).not.toContain("secret");
    expect(faults).toHaveLength(1);
  });
});

describe("a stream", () => {
  test("is a line for each event, until the client goes", async () => {
    const { path, backend, door } = ipc();
    const client = await connectRaw({ unix: path });
    client.send('"Events"\n');
    const hello = JSON.parse(await client.until("\n")) as {
      event: string;
      data: { services: unknown[] };
    };
    expect([hello.event, hello.data.services.length]).toEqual(["hello", 1]);
    backend.feed.request(requestTo("api", 9));
    await client.until('"id":9');
    expect(client.text.trim().split("\n")).toHaveLength(2);
    client.close();
    await eventually("it is gone", () => door.connections === 0);
    expect(
      await once(path, '{"Events":{"last_event_id":"0-11111111"}}\n', { until: '"id":9' }),
    ).toContain('"event":"request"');
  });

  test("goes on for a client that half-closed", async () => {
    const { path, backend } = ipc();
    const client = await connectRaw({ unix: path });
    client.send('{"Logs":{"service":null,"mode":"follow"}}\n');
    client.finish();
    // Nothing is sent for what was logged before it follows.
    await eventually("it follows", () => {
      backend.feed.log("one");
      return client.text.includes('"message":"one"');
    });
    backend.feed.log("two");
    await client.until('"message":"two"');
    client.close();
  });
});

describe("the socket", () => {
  test("is for its owner alone, takes the place of whatever was there, and goes with its daemon", async () => {
    const path = join(directory, "place.sock");
    await writeFile(path, "left over");
    const first = ipc({ path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const second = ipc({ path });
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
    await first.door.stop();
    await first.door.stop();
    // It is the second's by now.
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
    await second.door.stop();
    expect(stat(path)).rejects.toThrow("ENOENT");
  });

  test("is put back where somebody took it away", async () => {
    const { path, door } = ipc();
    door.claim();
    await rm(path);
    door.claim();
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
    expect((await readdir(directory)).filter((name) => name.includes(".sock."))).toEqual([]);
  });

  test("is its owner's again where somebody has changed its mode", async () => {
    const { path, door } = ipc();
    await chmod(path, 0o000);
    door.claim();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
  });

  test("is put back where its directory was removed with it", async () => {
    const place = await mkdtemp(join(directory, "place-"));
    const path = join(place, "daemon.sock");
    const { door } = ipc({ path, prepare: () => mkdirSync(place, { recursive: true }) });
    await rm(place, { recursive: true });
    door.claim();
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
  });

  test("stops while clients wait and follow", async () => {
    const { path, door } = ipc();
    const silent = await connectRaw({ unix: path });
    const follower = await connectRaw({ unix: path });
    follower.send('"Events"\n');
    await follower.until("hello");
    const stopped = door.stop();
    await Promise.all([silent.rest(), follower.rest()]);
    for (const client of [silent, follower]) client.close();
    await stopped;
    expect(door.connections).toBe(0);
  });

  test("of a state directory whose path is too long is in a directory of the person's own", async () => {
    const options = { platform: "linux", uid, runtimeDirectory: directory } as const;
    expect(socketPath("/state/daemon.sock", options)).toBe("/state/daemon.sock");
    const long = `/${"d".repeat(98)}/daemon.sock`;
    const path = socketPath(long, options);
    expect(path).toStartWith(`${directory}/localhostess/`);
    expect(socketPath(long, options)).toBe(path);
    expect(socketPath(`${long}d`, options)).not.toBe(path);
    expect((await stat(join(directory, "localhostess"))).mode & 0o777).toBe(0o700);
    const { door } = ipc({ path });
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
    await door.stop();
  });

  test("is never in a directory where others may put one of theirs", async () => {
    const open = await mkdtemp(join(directory, "open-"));
    await mkdir(join(open, "localhostess"));
    await chmod(join(open, "localhostess"), 0o777);
    const options = { platform: "linux", uid } as const;
    const long = `/${"d".repeat(200)}/daemon.sock`;
    expect(() => socketPath(long, { ...options, runtimeDirectory: open })).toThrow("yours alone");
    const linked = await mkdtemp(join(directory, "linked-"));
    await symlink(directory, join(linked, "localhostess"));
    expect(() => socketPath(long, { ...options, runtimeDirectory: linked })).toThrow("yours alone");
  });
});

describe("the handshake", () => {
  const nonce = "ab".repeat(32);
  const shake = (path: string, proof: unknown) =>
    once(path, `${JSON.stringify({ Handshake: { proof } })}\n`, { half: false });

  test("tells who the daemon is, with a proof, to whoever has proved the credential", async () => {
    const { path, backend } = ipc();
    const proof = clientProof(credential, { nonce, authority: socketAuthority(path) });
    const { Handshake } = JSON.parse(await shake(path, `${nonce}.${proof}`));
    const { id, pid, protocol } = backend.facts();
    expect(Handshake).toMatchObject({ id, pid });
    expect(Handshake.proof).toBe(daemonProof(credential, { nonce, id, pid, protocol }));
  });

  test.each([
    ["none", undefined],
    ["a number", 1],
    ["made for another socket", "elsewhere"],
    ["of another credential", "wrong"],
  ])("tells nothing for a proof that is %s", async (_, kind) => {
    const { path } = ipc();
    const its = {
      elsewhere: clientProof(credential, { nonce, authority: socketAuthority("/elsewhere") }),
      wrong: clientProof("cd".repeat(32), { nonce, authority: socketAuthority(path) }),
    };
    const proof = typeof kind === "string" ? `${nonce}.${its[kind as keyof typeof its]}` : kind;
    const reply = await shake(path, proof);
    expect(errorIn(reply)).toBe("forbidden");
    expect(reply).not.toContain("pid");
  });
});

describe("another user", () => {
  async function knock(path: string): Promise<string> {
    const script = `
      const replies = [];
      const over = Promise.withResolvers();
      await Bun.connect({ unix: ${JSON.stringify(path)}, socket: {
        open: (s) => void s.write('"Status"\\n'),
        data: (_, bytes) => void replies.push(bytes.toString()),
        close: () => over.resolve(), error: () => over.resolve(),
      } });
      await over.promise;
      process.stdout.write(replies.join(""));`;
    const bun = join(open, "bun");
    const child = Bun.spawn(asOther([bun, "-e", script]), {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", HOME: "/" },
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    await child.exited;
    return out + err;
  }

  let open = "";
  beforeAll(async () => {
    open = await mkdtemp(join(tmpdir(), "lh-open-"));
    // Where they can reach both the socket and a program to try it with.
    await chmod(open, 0o755);
    if (canBeOther) await Bun.write(join(open, "bun"), Bun.file(process.execPath));
    if (canBeOther) await chmod(join(open, "bun"), 0o755);
  });
  afterAll(() => rm(open, { recursive: true, force: true }));

  test.skipIf(!canBeOther)(
    `is not served, even where the socket is open to all ${asRoot}`,
    async () => {
      const { path } = ipc({ path: join(open, "all.sock") });
      await chmod(path, 0o666);
      const reply = await knock(path);
      expect(errorIn(reply)).toBe("forbidden");
      expect(reply).not.toContain("api");
    },
  );

  test.skipIf(!canBeOther)(
    "would be served without the kernel's word for who they are",
    async () => {
      const { path } = ipc({ path: join(open, "hole.sock"), peers: { uidOf: () => uid } });
      await chmod(path, 0o666);
      expect(await knock(path)).toContain('"Status":[');
    },
  );

  test("whom the kernel does not name is not served", async () => {
    const { path } = ipc({ peers: { uidOf: () => undefined } });
    expect(errorIn(await once(path, '"Ping"\n'))).toBe("forbidden");
  });
});

describe("wrong types in every field of every command", () => {
  const values = [
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    "",
    "x".repeat(10_000),
    [],
    [1],
    {},
    { a: 1 },
    ["a"],
    "\u0000",
  ];

  test("are told as such by IPC, or are legal, and never a fault", async () => {
    const { path, faults, backend } = ipc();
    backend.trust = async () => [];
    backend.dashboard = () => "http://127.0.0.1:1/open?token=x";
    for (const { name, input, streams } of commands) {
      for (const field of [...Object.keys(input.entries), "unknown", "__proto__", "constructor"]) {
        for (const value of values) {
          const request = `{"${name}":{${JSON.stringify(field)}:${JSON.stringify(value)}}}\n`;
          const reply = await once(path, request, streams === "sse" ? { until: "\n" } : {});
          const first = JSON.parse(reply.split("\n")[0] || "{}") as { error?: { code: string } };
          if (field in input.entries && Object.hasOwn(input.entries, field)) {
            expect(["bad_request", "not_found", "unsupported", undefined]).toContain(
              first.error?.code,
            );
          } else expect([request, first.error?.code]).toEqual([request, "bad_request"]);
        }
      }
    }
    expect(faults).toEqual([]);
    expect(backend.ended).toBe(0);
    expect(await once(path, '"Ping"\n')).toBe('"Pong"\n');
  });
});

describe("a daemon that another one has taken over from", () => {
  /** Both at one path: a client has connected to the first one, and the second one has the path now. */
  async function two(isTakenOver: () => Promise<boolean>, stop: () => Promise<void>) {
    const path = join(directory, `${count++}.sock`);
    const next = fakeBackend();
    const said: (readonly string[])[] = [];
    next.projects = {
      isTakenOver: async () => false,
      ids: async () => ["shop:api"],
      stop: async (ids: readonly string[]) => void said.push(ids),
      restart: async (_: unknown, { hear }: { hear(event: unknown): void }) => {
        hear({ type: "StepProgress" });
        return { kind: "ready" };
      },
      snapshots: () => [{ id: "shop:api", pid: 2 }],
    } as unknown as Projects;
    const backend = fakeBackend();
    backend.projects = {
      isTakenOver,
      ids: async () => ["shop:api"],
      stop,
    } as unknown as Projects;
    const { door } = ipc({ path, backend });
    const client = await connectRaw({ unix: path });
    await eventually("the first one has the client", () => door.connections === 1);
    ipc({ path, backend: next });
    return { client, said };
  }
  const never = async (): Promise<never> => {
    throw new Error("asked of the one that may not");
  };

  test("asks the other one for what changes a service, and passes its reply on", async () => {
    const { client, said } = await two(async () => true, never);
    client.send('"StopAll"\n');
    expect(await client.rest()).toBe('"Ok"\n');
    expect(said).toEqual([["shop:api"]]);
    const other = await two(async () => true, never);
    other.client.send('"RestartAll"\n');
    expect(await other.client.rest()).toBe('"Ok"\n');
  });

  test("does so too where that happens while it waits", async () => {
    const { client, said } = await two(
      async () => false,
      async () => {
        throw new TakenOver();
      },
    );
    client.send('"StopAll"\n');
    expect(await client.rest()).toBe('"Ok"\n');
    expect(said).toEqual([["shop:api"]]);
  });

  test("answers itself where nothing is changed", async () => {
    const { client } = await two(async () => true, never);
    client.send('"Ping"\n');
    expect(await client.rest()).toBe('"Pong"\n');
  });
});

const handsOver = test.skipIf(process.platform !== "linux");

handsOver("a daemon that was told to stop gives its shells, and says that it ends", async () => {
  const asked: string[] = [];
  const { path } = ipc({
    isEnding: () => true,
    successor(id) {
      asked.push(id);
      return undefined;
    },
  });
  const nonce = "1".repeat(64);
  const proof = `${nonce}.${clientProof(credential, { nonce, authority: socketAuthority(path) })}`;
  const request = { Handover: { proof, goesOn: conversationVersion, id: "next" } };
  const reply = JSON.parse(await once(path, `${JSON.stringify(request)}\n`));
  expect(reply).toMatchObject({
    Handover: { proof: expect.any(String) },
    error: { code: "ending" },
  });
  expect(reply.Handover).not.toHaveProperty("goesOn");
  expect(asked).toEqual([]);
});
