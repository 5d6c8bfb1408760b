/** Lines of ours in start-up files of shells: found in each form of the documentation, and no other is touched. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeOurs, shellFilesWithOurs } from "../../../src/cli/install/shell-files.ts";
import { withoutOurs } from "../../../src/cli/install/shell-lines.ts";

describe("a line of the documentation", () => {
  test.each([
    'eval "$(localhostess completion bash)"',
    'eval "$(localhostess completion zsh)"',
    "source <(localhostess completion zsh)",
    "localhostess completion fish | source",
    'eval "$(localhostess env)"',
    "localhostess env | source",
    '  eval "$(localhostess env)"  # https names',
  ])("is taken away: %s", (line) => {
    const text = `export A=1\n${line}\nexport B=2\n`;
    expect(withoutOurs(text)).toEqual({
      ...{ text: "export A=1\nexport B=2\n", removed: [line.trim()], others: [] },
    });
    // The last line of a file may have no end.
    expect(withoutOurs(line).text).toBe("");
  });
});

test("another line that names the program stays, and its number is told", () => {
  const text = 'alias up="localhostess up"\n# localhostess is fine\nexport L=localhostesses\n';
  expect(withoutOurs(text)).toEqual({ text, removed: [], others: [1] });
});

test("a file without any is the same, whatever its bytes and line ends are", () => {
  for (const text of ["", "\n", "a\r\nb\r\n", "x\0y", "é\n\n\n"]) {
    expect(withoutOurs(text)).toEqual({ text, removed: [], others: [] });
  }
});

describe("in a home", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "localhostess-home-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  test("each file is found, and keeps its mode and the link that leads to it", async () => {
    mkdirSync(join(home, "dotfiles"));
    mkdirSync(join(home, ".config/fish"), { recursive: true });
    const real = join(home, "dotfiles/bashrc");
    writeFileSync(real, 'a\neval "$(localhostess completion bash)"\n');
    chmodSync(real, 0o640);
    symlinkSync(real, join(home, ".bashrc"));
    const fish = join(home, ".config/fish/config.fish");
    writeFileSync(fish, "localhostess completion fish | source\nlocalhostess up\n");
    writeFileSync(join(home, ".zshrc"), "nothing\n");
    expect(await shellFilesWithOurs({ home, env: {} })).toEqual([
      {
        ...{ path: join(home, ".bashrc"), others: [] },
        removed: ['eval "$(localhostess completion bash)"'],
      },
      { path: fish, removed: ["localhostess completion fish | source"], others: [2] },
    ]);
    await removeOurs(join(home, ".bashrc"));
    expect(readFileSync(real, "utf8")).toBe("a\n");
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(lstatSync(join(home, ".bashrc")).isSymbolicLink()).toBe(true);
    await removeOurs(join(home, ".zshrc"));
    expect(removeOurs(join(home, ".profile"))).rejects.toThrow(`${home}/.profile is gone`);
  });
});
