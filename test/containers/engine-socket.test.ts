import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineSocket, isAsleep } from "../../src/containers/engine-socket.ts";
import { otherUid } from "../support/other-user.ts";
import { fakeEngine } from "./fake-engine.ts";

const uid = process.getuid!();

test("a socket of ours may be asked, also by a link; another at its place is another one", () => {
  using engine = fakeEngine({});
  const first = engineSocket(engine.path, { uid });
  expect(first).toMatchObject({ kind: "socket", owner: uid });
  const link = `${engine.path}.link`;
  symlinkSync(engine.path, link);
  expect(engineSocket(link, { uid })).toEqual(first);
  rmSync(engine.path);
  expect(engineSocket(engine.path, { uid })).toEqual({ kind: "absent" });
  using _ = fakeEngine({}, { path: engine.path });
  expect(engineSocket(engine.path, { uid })).not.toEqual(first);
});

test("a file, a folder, a loop of links and a path below a file are no sockets", () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const at = (name: string) => engineSocket(join(folder, name), { uid }).kind;
  writeFileSync(join(folder, "file"), "");
  symlinkSync("loop", join(folder, "loop"));
  expect([at("file"), at("."), at("loop"), at("file/x"), at("none")]).toEqual([
    ...["refused", "refused", "absent", "absent", "absent"],
  ] as ReturnType<typeof at>[]);
  rmSync(folder, { recursive: true });
});

test("another user's socket is not asked: its owner could name any port", () => {
  using engine = fakeEngine({});
  expect(engineSocket(engine.path, { uid: uid + 1 }).kind).toBe(uid === 0 ? "socket" : "refused");
  expect(engineSocket(engine.path, { uid }).kind).toBe("socket");
});

test.if(uid === 0)("as root, neither is that of another user (as root)", () => {
  using engine = fakeEngine({});
  chownSync(engine.path, otherUid, otherUid);
  expect(engineSocket(engine.path, { uid })).toEqual({
    kind: "refused",
    why: `it belongs to user ${otherUid}, and only yours and root's are asked`,
  });
});

test.if(uid !== 0)(
  "a socket that we may not write to is told with what helps (not as root)",
  () => {
    using engine = fakeEngine({});
    chmodSync(engine.path, 0o400);
    expect(engineSocket(engine.path, { uid })).toMatchObject({
      ...{ kind: "refused", why: expect.stringContaining("permission denied") },
    });
  },
);

test("an engine of Docker's that a person has stopped is not started by a question", () => {
  using engine = fakeEngine({});
  const units = join(engine.path, "../systemd/units");
  const kind = () => engineSocket(engine.path, { uid }).kind;
  expect(kind()).toBe("socket");
  mkdirSync(units, { recursive: true });
  expect(kind()).toBe("socket");
  writeFileSync(join(units, "invocation:docker.socket"), "");
  expect(kind()).toBe("refused");
  // Podman's ends by itself, and is meant to be started so.
  expect(isAsleep(join(engine.path, "../podman.sock"))).toBe(false);
  writeFileSync(join(units, "invocation:docker.service"), "");
  expect(kind()).toBe("socket");
});
