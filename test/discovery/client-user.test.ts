/**
 * Whether a client is one of those who are served: by the kernel's word, and no where the kernel has no such
 * client.
 */
import { expect, test } from "bun:test";
import { clientUsers, isOwn } from "../../src/discovery/client-user.ts";
import { departedClients } from "../../src/discovery/departed-clients.ts";
import type { Peer } from "../../src/system/peer-sockets.ts";

const ends = { remoteAddress: "127.0.0.1", remotePort: 1, localAddress: "127.0.0.1", localPort: 2 };
const sees = (peer: Peer) => ({ find: () => peer });

test.each<[what: string, peer: Peer, own: boolean | undefined, onWsl: boolean | undefined]>([
  ["the person's own client", { uid: 1000, inode: 7 }, true, true],
  ["root's", { uid: 0, inode: 7 }, true, true],
  ["another person's", { uid: 1001, inode: 7 }, false, false],
  // Older kernels say uid 0 of a socket that no process has.
  ["one that has closed its socket", { uid: 0, inode: 0 }, false, false],
  ["one that the kernel does not have", "none", false, undefined],
  ["one that the kernel does not tell of", "unknown", undefined, undefined],
])("%s", (_, peer, own, onWsl) => {
  const uids = [1000, 0];
  expect(isOwn(clientUsers(sees(peer), { uids })(ends))).toBe(own);
  expect(isOwn(clientUsers(sees(peer), { uids, elsewhere: true })(ends))).toBe(onWsl);
});

test("another person is told by the number that the system knows them by", () => {
  expect(clientUsers(sees({ uid: 1001, inode: 7 }), { uids: [1000] })(ends)).toEqual({ uid: 1001 });
});

test("where the system tells of no sockets, nobody is known", () => {
  expect(clientUsers(undefined, { uids: [1000] })(ends)).toBe("unknown");
});

test.each<[what: string, peer: Peer, departed: boolean, onWsl: boolean]>([
  ["a client that is there", { uid: 1000, inode: 7 }, false, false],
  ["one that has closed its socket", { uid: 1000, inode: 0 }, true, true],
  ["one that the kernel does not have", "none", true, false],
  ["one that the kernel does not tell of", "unknown", false, false],
])("departed: %s", (_, peer, departed, onWsl) => {
  expect(departedClients(sees(peer))(ends)).toBe(departed);
  expect(departedClients(sees(peer), { elsewhere: true })(ends)).toBe(onWsl);
});
