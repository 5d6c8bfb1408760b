/**
 * What a command is given has to be an object, by both doors: nothing that the language takes for one, or turns
 * into one.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "../../src/control/commands/commands.ts";
import type { IpcDoor } from "../../src/control/ipc/ipc.ts";
import { fakeBackend, httpDoor, post, socketDoor, once } from "./doors.ts";

let directory = "";
let socket: IpcDoor;
const backend = fakeBackend();
backend.dashboard = () => "http://127.0.0.1:1/open?token=x";
backend.trust = async () => [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lh-inputs-"));
  socket = socketDoor(join(directory, "daemon.sock"), backend);
  socket.claim();
});
afterAll(async () => {
  await socket.stop();
  await rm(directory, { recursive: true, force: true });
});

const noObjects = ["[]", "[{}]", '["a"]', '"x"', '""', "0", "1", "true", "false"];

const posted = commands.filter(({ method, streams }) => method === "POST" && streams !== "both");

test.each(posted.map(({ name, path }) => [name, path]))(
  "%s: a body that is no object is refused, and nothing is done",
  async (_, path) => {
    const door = httpDoor({ backend });
    for (const body of [...noObjects, "null"]) {
      const got = await post(door, path!, body);
      expect([body, got.status, got.error]).toEqual([body, 400, "bad_request"]);
    }
    expect(backend.ended).toBe(0);
  },
);

test.each(commands.map(({ name }) => [name]))(
  "%s by the socket: the same, and no empty text, number or false stands for nothing",
  async (name) => {
    for (const sent of noObjects) {
      const reply = JSON.parse(await once(socket.path, `{"${name}":${sent}}\n`));
      expect([sent, reply.error?.code]).toEqual([sent, "bad_request"]);
    }
    expect(backend.ended).toBe(0);
  },
);

test("a list is no set of variables", async () => {
  const door = httpDoor({ backend });
  for (const env of [[], ["PATH=/tmp"], [["PATH", "/tmp"]]]) {
    const got = await post(door, "/v1/start", { project_path: "/srv/shop", env });
    expect([got.status, got.error]).toEqual([400, "bad_request"]);
    expect(got.text).toContain("env");
  }
});

test("an object without anything in it is right where nothing is needed", async () => {
  expect((await post(httpDoor({ backend }), "/v1/dashboard", {})).status).toBe(200);
  expect(await once(socket.path, '{"Ping":{}}\n')).toBe('"Pong"\n');
});
