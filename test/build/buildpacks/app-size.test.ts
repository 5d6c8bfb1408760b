/** The line about the size of an app. */
import { expect, test } from "bun:test";
import type { AppEntry } from "../../../src/build/buildpacks/app-files.ts";
import { appSize } from "../../../src/build/buildpacks/app-size.ts";

const file = (path: string, size: number): AppEntry => ({
  kind: "file",
  path,
  size,
  mode: 0o644,
  modified: 0,
});
const rest = { mode: 0o755, leads: "a" };

test("folders are no files, and links have no size", () => {
  const entries: AppEntry[] = [
    { kind: "folder", path: "src", ...rest },
    file("src/a", 1024),
    file("b", 1024),
    { kind: "link", path: "c", ...rest },
  ];
  expect(appSize(entries)).toBe("3 files of the app, 2.0 KiB");
  expect(appSize([])).toBe("0 files of the app, 0 B");
});

test("where it is large, the folder is named that most of it is in", () => {
  const hint = "; exclude in project.toml leaves out what buildpacks do not need";
  expect(appSize([file("target/x", 600 * 1024 ** 2), file("src/a", 1), file("big", 1)])).toBe(
    `3 files of the app, 600 MiB: 600 MiB in target${hint}`,
  );
  const many = Array.from({ length: 20_000 }, (_, index) => file(`.venv/${index}`, 1));
  expect(appSize([...many, file("src/a", 100_000)])).toBe(
    `20001 files of the app, 117 KiB: 20000 files in .venv${hint}`,
  );
  expect(appSize([file("film", 1024 ** 3)])).toBe("1 file of the app, 1.0 GiB");
});
