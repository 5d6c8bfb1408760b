import { describe, expect, test } from "bun:test";
import { nameOf } from "../../src/discovery/name.ts";

const host = { hostName: "desk", wsl: false };
const verdict = (raw: string | undefined) => nameOf(raw, host);
const why = (raw: string) => {
  const result = verdict(raw);
  return result.kind === "unroutable" ? result.why : result.kind;
};

describe("a name", () => {
  test.each([
    ["api", "api"],
    ["API", "api"],
    ["api.shop", "api.shop"],
    ["my-app-2", "my-app-2"],
    ["x", "x"],
    ["v1.2.api", "v1.2.api"],
    ["xn--caf-dma", "xn--caf-dma"],
    ["a".repeat(63), "a".repeat(63)],
    ["3000a", "3000a"],
    ["0xg", "0xg"],
  ])("%s is reached as %s", (raw, name) => {
    expect(verdict(raw)).toEqual({ kind: "name", name });
  });

  test("may end in .localhost, which is not part of it", () => {
    expect(verdict("Api.LocalHost")).toEqual({ kind: "name", name: "api" });
  });

  test("may be as long as DNS allows with the ending, and no longer", () => {
    const label = "a".repeat(60);
    const longest = `${label}.${label}.${label}.${label}`.slice(0, 243);
    expect(longest).toHaveLength(243);
    expect(verdict(longest).kind).toBe("name");
    expect(why(`${longest}a`)).toContain("at most 243 characters, this one has 244");
  });
});

test("no NAME and an empty NAME are no name", () => {
  expect(verdict(undefined)).toEqual({ kind: "none" });
  expect(verdict("")).toEqual({ kind: "none" });
});

describe("an unusable name says why, and what would do", () => {
  test.each([
    ["my_app", "try NAME=my-app"],
    ["_my__app_", "try NAME=my-app"],
    ["my app", "try NAME=my-app"],
    ["café", "try NAME=cafe"],
    ["-api", "try NAME=api"],
    ["api-", "try NAME=api"],
    ["api.", "try NAME=api"],
    ["a..b", "try NAME=a.b"],
    [".localhost", "an empty part before, after or between its dots"],
    ["localhost", "localhost is this machine itself"],
    ["LOCALHOST", "localhost is this machine itself"],
    ["localhost.localhost", "localhost is this machine itself"],
    ["api.localhost.localhost", "ends in .localhost twice"],
    ["a".repeat(64), "at most 63 characters, one here has 64"],
    ["3000", "clients read it as an IP address"],
    ["127.0.0.1", "clients read it as an IP address"],
    ["api.1", "clients read it as an IP address"],
    ["0x7f", "clients read it as an IP address"],
    ["::1", "letters, digits and inner hyphens"],
    ["<script>", "try NAME=script"],
    ["///", "letters, digits and inner hyphens"],
    ["\u212aelvin", "try NAME=kelvin"],
  ])("%s: %s", (raw, reason) => {
    expect(why(raw)).toContain(reason);
  });

  test("with nothing left to suggest it suggests nothing", () => {
    expect(why("///")).not.toContain("; try NAME=");
    expect(why("127_0")).toContain("; try NAME=");
    expect(why("1_")).not.toContain("; try NAME=");
  });

  test("its text is printable", () => {
    expect(verdict("a\x1b[2Jb\u202e")).toMatchObject({ text: "a\\x1b[2Jb\\u202e" });
    expect(verdict("  ")).toMatchObject({ kind: "unroutable", text: "\\x20\\x20" });
    expect(verdict("_".repeat(10_000))).toMatchObject({ text: `${"_".repeat(299)}…` });
  });
});

describe("WSL sets NAME to the computer's name", () => {
  test("which is no name there", () => {
    for (const raw of ["DESKTOP-1", "desktop-1"]) {
      expect(nameOf(raw, { hostName: "DESKTOP-1", wsl: true })).toEqual({ kind: "none" });
      expect(nameOf(raw, { hostName: "Desktop-1.lan", wsl: true })).toEqual({ kind: "none" });
    }
  });

  test("but a name elsewhere, as every other name is there", () => {
    expect(nameOf("desk", { hostName: "desk", wsl: false }).kind).toBe("name");
    expect(nameOf("api", { hostName: "desk", wsl: true }).kind).toBe("name");
  });
});
