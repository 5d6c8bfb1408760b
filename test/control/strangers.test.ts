/**
 * What strangers can do to the doors of a daemon without its credential: take its places, pose as it, use another
 * name for it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketPath } from "../../src/control/ipc/socket-path.ts";
import { clientProof, newNonce } from "../../src/control/found/proof.ts";
import { eventually } from "../support/eventually.ts";
import { connectRaw, type RawEnd } from "../support/raw-end.ts";
import { ask, credential, fakeBackend, httpDoor, socketDoor, once } from "./doors.ts";

const uid = process.getuid!();
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lh-strangers-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("the socket", () => {
  test("holds a bounded number of connections that say nothing, and serves again when they are gone", async () => {
    const door = socketDoor(join(directory, "full.sock"), fakeBackend());
    door.claim();
    try {
      const clients: RawEnd[] = [];
      // A socket's backlog has no room for all of them at once.
      for (let n = 0; n < 600; n++) clients.push(await connectRaw({ unix: door.path }));
      await eventually(
        "those over the bound are closed",
        () => clients.filter(({ over }) => over).length >= 88,
      );
      expect(door.connections).toBeLessThanOrEqual(512);
      for (const client of clients) client.reset();
      await eventually("all are gone", () => door.connections === 0);
      expect(await once(door.path, '"Ping"\n')).toBe('"Pong"\n');
    } finally {
      await door.stop();
    }
  });

  /** Too long for a socket, so that it is put elsewhere. */
  const long = `/${"d".repeat(200)}/daemon.sock`;

  test("is never put into a directory that is another user's, whatever its mode", async () => {
    const runtime = await mkdtemp(join(directory, "runtime-"));
    await mkdir(join(runtime, "localhostess"), { mode: 0o700 });
    // For another person, this directory of ours is a stranger's.
    const options = { platform: "linux", uid: uid + 1, runtimeDirectory: runtime } as const;
    expect(() => socketPath(long, options)).toThrow("yours alone");
  });

  test.skipIf(uid !== 0)(
    "is not put into one that a stranger has made first (as root)",
    async () => {
      const runtime = await mkdtemp(join(directory, "theirs-"));
      await mkdir(join(runtime, "localhostess"), { mode: 0o700 });
      await chown(join(runtime, "localhostess"), 65_534, 65_534);
      const options = { platform: "linux", uid, runtimeDirectory: runtime } as const;
      expect(() => socketPath(long, options)).toThrow("yours alone");
    },
  );
});

test("a proof that was made for another name of ours is no proof, also by that name", async () => {
  const door = httpDoor();
  for (const name of ["evil.com", "api.localhost", "127.0.0.2", "0.0.0.0"]) {
    const authority = `${name}:${door.port}`;
    const nonce = newNonce();
    const proof = clientProof(credential, { nonce, authority });
    const got = await ask(door, "/v1/handshake", {
      bearer: null,
      host: authority,
      headers: { Authorization: `Proof ${nonce}.${proof}` },
    });
    expect([name, got.status]).toEqual([name, 421]);
    expect(got.text).not.toContain("proof");
  }
});
