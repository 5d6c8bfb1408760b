/**
 * The file of choices in the state directory, and git's files -> the choices that hold now. Each is for a worktree's
 * folder: it stays when another branch is checked out there, and ends when the folder is gone.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Choice } from "../routes/origins.ts";
import { writeAtomically } from "../system/atomic-file.ts";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { lockFile } from "../system/file-lock.ts";
import { readTextSync } from "../system/read-text.ts";
import type { Checkouts } from "./checkouts.ts";

export interface KeptChoices {
  /** The same object until something else is chosen. One call costs one stat() while nothing is chosen. */
  now(): readonly Choice[];
}

export type KeptChoicesOptions = {
  stateDirectory: string;
  checkouts: Pick<Checkouts, "worktrees">;
  /** Receives a sentence for a person. */
  note(text: string): void;
  /** Called with the choices whose worktrees are gone. */
  onGone(gone: readonly Choice[]): void;
};

/** Bytes; a thousand choices take less. */
const longest = 1024 * 1024;
const mostNames = 10_000;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
const schema = v.object({
  choices: v.array(
    v.object({
      repository: text,
      root: text,
      label: text,
      of: v.optional(text),
      names: v.pipe(v.array(text), v.maxLength(mostNames)),
    }),
  ),
});

export function choicesPath(stateDirectory: string): string {
  return join(stateDirectory, "choices.json");
}

type ReadChoices = { kind: "choices"; choices: Choice[] } | { kind: "broken"; why: string };

/** No file is no choice. */
export function readChoices(stateDirectory: string): ReadChoices {
  const path = choicesPath(stateDirectory);
  const its = readTextSync(path, { longest });
  if (its.kind === "unreadable") return { kind: "broken", why: `${path}: ${its.why}` };
  if (its.kind !== "text") return { kind: "choices", choices: [] };
  let value: unknown;
  try {
    value = JSON.parse(its.text);
  } catch (error) {
    return { kind: "broken", why: `${path}: ${(error as Error).message}` };
  }
  const checked = v.safeParse(schema, value);
  if (!checked.success) return { kind: "broken", why: `${path}: its content is not valid` };
  return {
    kind: "choices",
    choices: checked.output.choices.map((choice) => ({ ...choice, of: choice.of })),
  };
}

/** Each with the label that its worktree has now; without those whose folder is gone. */
export function currentChoices(
  kept: readonly Choice[],
  checkouts: { worktrees(repository: string): readonly { root: string; label: string }[] },
): { holds: Choice[]; gone: Choice[] } {
  const holds: Choice[] = [];
  const gone: Choice[] = [];
  for (const choice of kept) {
    const { repository, root } = choice;
    const worktree = checkouts.worktrees(repository).find((its) => its.root === root);
    if (worktree !== undefined) holds.push({ ...choice, label: worktree.label });
    // Git may be at work on a folder that is there, or another user's mount may be slow.
    else if (existsSync(root)) holds.push(choice);
    else gone.push(choice);
  }
  return { holds, gone };
}

export function keptChoices(options: KeptChoicesOptions): KeptChoices {
  const { stateDirectory, checkouts, note, onGone } = options;
  const path = choicesPath(stateDirectory);
  let version = "";
  let kept: readonly Choice[] = [];
  let known: readonly Choice[] = [];
  return {
    now() {
      const seen = fileFingerprint(path);
      if (seen !== version) {
        version = seen;
        const read = readChoices(stateDirectory);
        if (read.kind === "choices") kept = read.choices;
        else note(`${read.why}; plain names show what they showed`);
      }
      if (kept.length === 0 && known.length === 0) return known;
      const { holds, gone } = currentChoices(kept, checkouts);
      if (gone.length > 0) {
        kept = holds;
        onGone(gone);
      }
      if (!Bun.deepEquals(holds, known)) known = holds;
      return known;
    },
  };
}

/** Milliseconds between tries of two commands at once, and how many there are. */
const pause = 20;
const tries = 100;

/**
 * Writes other choices, one command after another. @throws Error of the file system, or with a sentence where the file
 * cannot be read or another process does not let go of it.
 */
export async function changeChoices(
  stateDirectory: string,
  change: (before: readonly Choice[]) => readonly Choice[],
): Promise<void> {
  const path = choicesPath(stateDirectory);
  for (let left = tries; ; left--) {
    const lock = lockFile(`${path}.lock`);
    if (lock.kind === "taken") {
      if (left === 0) throw new Error(`another process does not let go of ${path}.lock`);
      await Bun.sleep(pause);
      continue;
    }
    try {
      const read = readChoices(stateDirectory);
      if (read.kind === "broken") throw new Error(`${read.why}; remove it, or mend it`);
      const choices = change(read.choices);
      await writeAtomically(path, `${JSON.stringify({ choices }, undefined, 2)}\n`);
      return;
    } finally {
      lock.release();
    }
  }
}
