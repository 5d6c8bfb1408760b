import { afterAll, beforeAll, expect, test } from "bun:test";
import { lchownSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketUsers } from "../../src/system/socket-users.ts";
import { asRoot, canBeOther, otherUid } from "../support/other-user.ts";

const uid = process.getuid!();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "localhostess-users-"));
  writeFileSync(join(folder, "own"), "");
  symlinkSync(join(folder, "own"), join(folder, "link"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a socket is its owner's, and that of who made the link to it", () => {
  expect(socketUsers(join(folder, "own"))).toEqual([uid, uid]);
  expect(socketUsers(join(folder, "link"))).toEqual([uid, uid]);
  expect(socketUsers(join(folder, "none"))).toEqual([]);
});

test.skipIf(!canBeOther)(`another user's link leads to our own socket ${asRoot}`, () => {
  lchownSync(join(folder, "link"), otherUid, otherUid);
  expect(socketUsers(join(folder, "link"))).toEqual([otherUid, uid]);
});
