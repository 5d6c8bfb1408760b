/** The projects that the daemon knows -> the lines of `registry list`. */
import { expect, test } from "bun:test";
import { registryLines } from "../../src/cli/projects/registry.ts";
import { noColors } from "../../src/cli/shared/world.ts";
import type { RegisteredProject } from "../../src/routes/project-report.ts";

function project(name: string, its: Partial<RegisteredProject> = {}): RegisteredProject {
  const last_seen = "2026-01-01T00:00:00.000Z" as unknown as RegisteredProject["last_seen"];
  return { name, path: `/home/ann/${name}`, pinned: false, last_seen, folder: "here", ...its };
}

const options = { colors: noColors, home: "/home/ann", now: Date.parse("2026-01-01T00:05:00Z") };

test("a project has a row below a header, with what has become of its folder", () => {
  const known = [project("shop", { pinned: true }), project("blog\x1b", { folder: "gone" })];
  expect(registryLines(known, { ...options, columns: undefined, home: undefined })).toEqual([
    "NAME      PINNED  SEEN     FOLDER",
    "shop      pinned  5 m ago  /home/ann/shop",
    "blog\\x1b  -       5 m ago  /home/ann/blog\\x1b  (gone)",
  ]);
});

test("on a terminal, rows fit its width, and a long folder stands below its row, whole", () => {
  const path = `/mnt/${"deep/".repeat(20)}shop`;
  const known = [project("a"), project("shop", { path })];
  expect(registryLines(known, { ...options, columns: 80 })).toEqual([
    "NAME  PINNED  SEEN     FOLDER",
    "a     -       5 m ago  ~/a",
    "shop  -       5 m ago",
    `  ${path}`,
  ]);
  for (const columns of [1, 20, 30]) {
    for (const line of registryLines([project("x".repeat(60))], { ...options, columns })) {
      if (!line.includes("~")) expect(line.length).toBeLessThanOrEqual(columns);
    }
  }
});
