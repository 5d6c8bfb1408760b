/** The choices in the state directory: what holds of them, and when they end. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worktree } from "../../src/discovery/checkouts.ts";
import {
  changeChoices,
  choicesPath,
  keptChoices,
  readChoices,
} from "../../src/discovery/kept-choices.ts";
import type { Choice } from "../../src/routes/origins.ts";

let directory = "";
let notes: string[] = [];
let gone: string[] = [];
let worktrees: Worktree[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "localhostess-choices-"));
  notes = [];
  gone = [];
  worktrees = [made("fix-nav")];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function made(label: string): Worktree {
  const root = join(directory, label);
  mkdirSync(root, { recursive: true });
  return { root, label, branch: label };
}

function choice(label: string, its: Partial<Choice> = {}): Choice {
  const root = join(directory, label);
  return { repository: "/srv/shop/.git", root, label, of: undefined, names: ["api"], ...its };
}

function open() {
  return keptChoices({
    stateDirectory: directory,
    checkouts: { worktrees: () => worktrees },
    note: (text) => notes.push(text),
    onGone: (these) => gone.push(...these.map(({ label }) => label)),
  });
}

test("without a file nothing is chosen, and what is chosen later is the same value until it changes", async () => {
  const kept = open();
  expect(kept.now()).toEqual([]);
  expect(kept.now()).toBe(kept.now());
  await changeChoices(directory, () => [choice("fix-nav")]);
  const now = kept.now();
  expect(now).toEqual([choice("fix-nav")]);
  expect(kept.now()).toBe(now);
  expect(open().now()).toEqual(now);
  await changeChoices(directory, () => []);
  expect(kept.now()).toEqual([]);
});

test("the file is the person's own", async () => {
  await changeChoices(directory, () => [choice("fix-nav", { of: "shop" })]);
  expect(statSync(choicesPath(directory)).mode & 0o777).toBe(0o600);
  expect(readChoices(directory)).toEqual({
    kind: "choices",
    choices: [choice("fix-nav", { of: "shop" })],
  });
});

test("a choice stays with its folder when another branch is checked out there, and ends with the folder", async () => {
  const kept = open();
  await changeChoices(directory, () => [choice("fix-nav")]);
  expect(kept.now()).toHaveLength(1);
  worktrees = [{ ...worktrees[0]!, label: "other", branch: "other" }];
  expect(kept.now()).toEqual([choice("fix-nav", { label: "other", root: worktrees[0]!.root })]);
  // Git may be at work: the folder is there.
  worktrees = [];
  expect(kept.now()).toHaveLength(1);
  expect(gone).toEqual([]);
  rmSync(join(directory, "fix-nav"), { recursive: true });
  expect(kept.now()).toEqual([]);
  expect(kept.now()).toEqual([]);
  expect(gone).toEqual(["fix-nav"]);
});

test("two commands at once both count", async () => {
  const all = ["a", "b", "c", "d", "e"].map((label) => choice(label));
  await Promise.all(all.map((one) => changeChoices(directory, (before) => [...before, one])));
  const read = readChoices(directory);
  expect(read.kind === "choices" && read.choices.map(({ label }) => label).sort()).toEqual(
    all.map(({ label }) => label),
  );
});

const wrong = (its: object): string =>
  JSON.stringify({ choices: [{ ...choice("fix-nav"), ...its }] });

const broken = [
  ...["", "{", "[]", '{"choices":{}}', '{"choices":[{"label":1}]}', "\0\xff"],
  ...[wrong({ label: "a\r\nX: 1" }), wrong({ names: ["\x1b[2J"] }), wrong({ root: "shop" })],
];

test.each(broken)(
  "a file that holds %j chooses nothing, is told of once, and is not overwritten",
  async (text) => {
    const kept = open();
    writeFileSync(choicesPath(directory), text);
    expect(kept.now()).toEqual([]);
    expect(kept.now()).toEqual([]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(choicesPath(directory));
    expect(changeChoices(directory, () => [choice("fix-nav")])).rejects.toThrow("correct it");
  },
);

test("a file that another user may write chooses nothing, nor does one that a link leads to", async () => {
  await changeChoices(directory, () => [choice("fix-nav")]);
  const path = choicesPath(directory);
  chmodSync(path, 0o666);
  expect(open().now()).toEqual([]);
  expect(readChoices(directory)).toMatchObject({ why: expect.stringContaining("may write it") });
  chmodSync(path, 0o600);
  expect(open().now()).toHaveLength(1);
  renameSync(path, `${path}.old`);
  symlinkSync(`${path}.old`, path);
  expect(open().now()).toEqual([]);
});

test("a file that breaks leaves what was chosen", async () => {
  const kept = open();
  await changeChoices(directory, () => [choice("fix-nav")]);
  expect(kept.now()).toHaveLength(1);
  writeFileSync(choicesPath(directory), "{");
  expect(kept.now()).toHaveLength(1);
});
