/** Whose clients count as the person's own. */
import { expect, test } from "bun:test";
import { servedUsers } from "../../src/daemon/served-users.ts";

test.each<[string, number, string | undefined, number[]]>([
  ["a person, and root", 1000, undefined, [1000, 0]],
  ["a person who sets sudo's variable", 1000, "1001", [1000, 0]],
  ["root", 0, undefined, [0, 0]],
  ["root by sudo, and the user who typed it", 0, "1001", [0, 0, 1001]],
  ["root, with a variable that is no user", 0, "-1", [0, 0]],
  ["root, with an empty variable", 0, "", [0, 0]],
  ["root, with a name", 0, "ada", [0, 0]],
])("the proxy serves %s", (_, uid, sudo, wanted) => {
  expect(servedUsers(uid, { SUDO_UID: sudo }).proxy).toEqual(wanted);
});

test("the page is the daemon's own user's, and not root's", () => {
  expect(servedUsers(1000, {}).page).toEqual([1000]);
  expect(servedUsers(0, { SUDO_UID: "1001" }).page).toEqual([0]);
});
