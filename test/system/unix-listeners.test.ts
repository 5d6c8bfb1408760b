import { expect, test } from "bun:test";
import { isListedAt, listensAtPath } from "../../src/system/unix-listeners.ts";

const table = `Num       RefCount Protocol Flags    Type St Inode Path
00000000751fc355: 00000002 00000000 00010000 0001 01 30828017 /run/api.sock
000000002b355e91: 00000002 00000000 00000000 0001 03 30882758
000000002b355e92: 00000002 00000000 00000000 0001 03 30882758 /run/connected.sock
00000000418538bc: 00000002 00000000 00010000 0001 01   17 ./tmp/with space.sock
00000000418538bd: 00000002 00000000 00010000 0001 01   18 @abstract
`;

test.each([
  ["/run/api.sock", true],
  ["/run/api.soc", false],
  ["/other/run/api.sock", false],
  ["/run/connected.sock", false],
  ["/srv/app/tmp/with space.sock", true],
  ["/srv/app/space.sock", false],
  ["/run/none.sock", false],
])("%s: %p", (path, listed) => {
  expect(isListedAt(path, table)).toBe(listed);
});

test("a system without such a table cannot tell", () => {
  expect(listensAtPath("/run/api.sock", { root: "/nonexistent" })).toBeUndefined();
});
