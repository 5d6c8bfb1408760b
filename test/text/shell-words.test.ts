/** Words in a command that a person pastes, or a shell is given: they arrive as they were. */
import { describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { printable } from "../../src/text/printable.ts";
import { pastedWord, powershellWord, shellCommand, shellWord } from "../../src/text/shell-words.ts";
import { stateDirectoryProblem } from "../../src/system/state-directory.ts";
import { holdsFor } from "../support/property.ts";

/** What a program gets to see of one word. */
function readBy(shell: string, word: string): string {
  const { stdout } = Bun.spawnSync([shell, "-c", `printf %s ${word}`], { env: {}, cwd: "/" });
  return stdout.toString();
}

const paths = [
  "/srv/shop",
  "/srv/my shop",
  "/srv/it's here",
  "/srv/$(touch pwned)",
  "/srv/`touch pwned`",
  "/srv/a;b|c&d>e",
  '/srv/"q" \\ \\\\',
  "/srv/new\nline",
  "/srv/\x1b[31m\x07\ttab",
  "/srv/\u202egnp.exe",
  "/srv/'\n'",
  "/srv/\n0",
  "/srv/\\101\n",
  "=ls",
  "~",
  "*",
  "ünïcödé",
  "👩‍💻",
  "",
];

test.each(paths)("%j arrives as it is, by sh and by bash", (path) => {
  expect(readBy("sh", shellWord(path))).toBe(path);
  if (Bun.which("bash") !== null) expect(readBy("bash", pastedWord(path))).toBe(path);
});

test.each(paths)("%j is pasted as what can be seen", (path) => {
  const word = pastedWord(path);
  expect(printable(word)).toBe(word);
  expect(word).not.toContain("\n");
});

test.skipIf(Bun.which("bash") === null)("any word arrives (needs bash)", () => {
  const words = fc.string({ unit: "grapheme-composite" }).filter((word) => !word.includes("\0"));
  holdsFor(
    fc.property(fc.array(words, { minLength: 1, maxLength: 50 }), (list) => {
      const command = `printf '%s\\0' ${list.map(pastedWord).join(" ")}`;
      const { stdout } = Bun.spawnSync(["bash", "-c", command], { env: {}, cwd: "/" });
      expect(stdout.toString().split("\0").slice(0, -1)).toEqual(list);
    }),
    { runs: 20 },
  );
});

test("a command of one word is taken for what somebody has quoted already", () => {
  expect(shellCommand(["bun dev && echo done"])).toBe("bun dev && echo done");
  expect(shellCommand(["echo", "it's", "a b", "x=1"])).toBe("echo 'it'\\''s' 'a b' x=1");
});

test("PowerShell's quotes are doubled, all five of them", () => {
  expect(powershellWord("C:\\it's")).toBe("'C:\\it''s'");
  expect(powershellWord("a\u2018; calc; \u2019b\u201ac\u201bd $(x)")).toBe(
    "'a\u2018\u2018; calc; \u2019\u2019b\u201a\u201ac\u201b\u201bd $(x)'",
  );
});

describe("a state directory that others may write", () => {
  test.each(["it's", "a $(touch pwned) b", "new\nline"])(
    "%j is mended by the command that is shown",
    async (name) => {
      const directory = await mkdtemp(join(tmpdir(), "localhostess-words-"));
      try {
        const path = join(directory, name);
        await mkdir(path);
        await chmod(path, 0o777);
        const command = stateDirectoryProblem(path)!.split("to fix it: ")[1]!;
        expect(command).toStartWith("chmod 700 ");
        Bun.spawnSync(["bash", "-c", command], { cwd: directory });
        expect((await stat(path)).mode & 0o777).toBe(0o700);
        expect(stateDirectoryProblem(path)).toBeUndefined();
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  );

  test.skipIf(process.getuid?.() !== 0)(
    "or that is another user's: the sudo line has its path in quotes (as root)",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "localhostess-words-"));
      try {
        const path = join(directory, "it's");
        await mkdir(path);
        await chown(path, 65_534, 65_534);
        expect(stateDirectoryProblem(path)).toEndWith(`sudo chown -R 0 '${directory}/it'\\''s'`);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  );
});
