/** The unit of a process, by the text of its cgroup. */
import { expect, test } from "bun:test";
import { unitIn, unitOf } from "../../src/system/unit-of.ts";

const user = "/user.slice/user-1000.slice/user@1000.service";

const cases: readonly [what: string, text: string, path: string | undefined][] = [
  [
    "cgroup v2",
    `0::${user}/app.slice/localhostess.service\n`,
    `${user}/app.slice/localhostess.service`,
  ],
  [
    "v1 beside systemd's own hierarchy",
    `9:name=systemd:${user}/app.slice/localhostess.service\n8:pids:/x.service\n0::/\n`,
    `${user}/app.slice/localhostess.service`,
  ],
  [
    "a group below the unit",
    `0::${user}/app.slice/a.service/payload\n`,
    `${user}/app.slice/a.service`,
  ],
  ["a unit of the system", "0::/system.slice/a.service\n", "/system.slice/a.service"],
  ["a login", `0::/user.slice/user-1000.slice/session-2.scope\n`, undefined],
  ["a terminal's scope", `0::${user}/app.slice/app-vte.scope\n`, undefined],
  ["the manager itself", `0::${user}/init.scope\n`, undefined],
  ["nothing of systemd", "0::/\n", undefined],
  ["another hierarchy", "4:memory:/a.service\n", undefined],
];

for (const [what, text, path] of cases) {
  test(`${what}: ${path}`, () => {
    expect(unitIn(text)?.path).toBe(path);
  });
}

test("a process that is gone has none", () => {
  expect(unitOf(2 ** 22 + 1)).toBeUndefined();
});
