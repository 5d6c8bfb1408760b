import { expect, test } from "bun:test";
import { handoverOf, type Shells, shellsIn } from "../../src/supervisor/project/handover.ts";

const zsh = { PATH: "/bin", TOKEN: "secret", UNSET: undefined };
const none = new Map<string, never>();

function over(shells: Shells): Shells {
  return shellsIn(JSON.parse(JSON.stringify(handoverOf(shells))));
}

test("every shell arrives once, with the services that another one brought up", () => {
  const own = { PATH: "/opt" };
  const shells: Shells = new Map([
    ["/shop", { shell: zsh, lost: false, services: new Map([["__proto__", own]]) }],
    ["/mall", { shell: zsh, lost: false, services: none }],
    ["/pinned", { shell: undefined, lost: false, services: none }],
    ["/orphan", { shell: undefined, lost: true, services: none }],
  ]);
  expect(handoverOf(shells).environments).toHaveLength(2);
  const { UNSET: _, ...sent } = zsh;
  expect(over(shells)).toEqual(
    new Map([
      ["/shop", { shell: sent, lost: false, services: new Map([["__proto__", own]]) }],
      ["/mall", { shell: sent, lost: false, services: none }],
      ["/pinned", { shell: undefined, lost: false, services: none }],
      ["/orphan", { shell: undefined, lost: true, services: none }],
    ]),
  );
});

test("what is too large is left out, and the rest arrives", () => {
  const large = { BLOB: "x".repeat(9_000_000) };
  const shells: Shells = new Map([
    ["/small", { shell: zsh, lost: false, services: none }],
    ["/large", { shell: large, lost: false, services: none }],
    ["/larger", { shell: zsh, lost: false, services: new Map([["web", large]]) }],
    ["/late", { shell: { PATH: "/opt" }, lost: false, services: none }],
    ["/same", { shell: zsh, lost: false, services: none }],
  ]);
  expect([...over(shells).keys()]).toEqual(["/small", "/late", "/same"]);
  expect(over(shells).get("/late")?.shell).toEqual({ PATH: "/opt" });
  expect(JSON.stringify(handoverOf(shells)).length).toBeLessThan(1000);
});

test.each<[what: string, value: unknown]>([
  ["nothing", undefined],
  ["a text", "x"],
  ["another shape", { environments: [{ A: 1 }], folders: [] }],
  ["a relative folder", { environments: [], folders: [{ directory: "x", shell: null }] }],
])("%s is no handover", (_what, value) => {
  expect(shellsIn(value)).toEqual(new Map());
});

test("a number that leads to no environment leaves the folder without a shell", () => {
  const folders = [{ directory: "/x", shell: 7, lost: false, services: [["web", 9]] }];
  expect(shellsIn({ environments: [], folders })).toEqual(
    new Map([["/x", { shell: undefined, lost: false, services: new Map() }]]),
  );
});
