/**
 * The file of choices in the state directory, and git's files -> the choices that hold now. Each is for a worktree's
 * folder: it stays when another branch is checked out there, and ends when the folder is gone.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Choice } from "../routes/origins.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { changeAlone, followedFile } from "../system/shared-file.ts";
import { inForm, onlyVersioned, writeFormed } from "../system/state-format.ts";
import { printable } from "../text/printable.ts";
import { pastedWord } from "../text/shell-words.ts";
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

const folder = v.pipe(v.string(), v.startsWith("/"), v.maxLength(4096));
/** A label goes into a cookie, and names into sentences. */
const label = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,63}$/));
const name = v.pipe(v.string(), v.regex(/^[a-z0-9.-]{1,253}$/));
const schema = v.object({
  choices: v.array(
    v.object({
      repository: folder,
      root: folder,
      label,
      of: v.optional(name),
      names: v.pipe(v.array(name), v.maxLength(mostNames)),
    }),
  ),
});

export const choicesFormat = onlyVersioned;

export function choicesPath(stateDirectory: string): string {
  return join(stateDirectory, "choices.json");
}

/** `isPassing`: the system is short of something, and the file may be sound. */
type ReadChoices =
  { kind: "choices"; choices: Choice[] } | { kind: "broken"; why: string; isPassing: boolean };

const reasons = {
  exposed: "another user owns it, or may write it",
  broken: `it is not a regular file, or larger than ${longest / 1024} KiB`,
  unknown: "the system cannot read it now",
} as const;

/** No file is no choice. */
export function readChoices(stateDirectory: string): ReadChoices {
  const path = choicesPath(stateDirectory);
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return { kind: "choices", choices: [] };
  const broken = (why: string): ReadChoices => {
    const fix = `correct it, or remove it: rm ${pastedWord(path)}`;
    const text = `${path} cannot be used: ${why}; ${fix}`;
    return { kind: "broken", why: text, isPassing: its.kind === "unknown" };
  };
  if (its.kind !== "text") return broken(reasons[its.kind]);
  let value: unknown;
  try {
    value = JSON.parse(its.text);
  } catch (error) {
    return broken(printable((error as Error).message, 200));
  }
  const formed = inForm(value, { path, format: choicesFormat });
  if (formed.kind === "newer") {
    const why = `${path} cannot be used: ${formed.why}; ${formed.fix}`;
    return { kind: "broken", why, isPassing: false };
  }
  const checked = v.safeParse(schema, formed.value);
  if (!checked.success) return broken("its content is not valid");
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
  const inFile = followedFile<readonly Choice[]>({
    path: choicesPath(stateDirectory),
    first: [],
    read() {
      const its = readChoices(stateDirectory);
      return its.kind === "choices" ? { kind: "value", value: its.choices } : its;
    },
    onBroken: (why) => note(`${why}; plain names show what they showed`),
  });
  let read: readonly Choice[] = [];
  /** Those of the file whose worktrees have not gone since it was read. */
  let kept: readonly Choice[] = [];
  let known: readonly Choice[] = [];
  return {
    now() {
      const its = inFile();
      if (its !== read) read = kept = its;
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

/**
 * Writes other choices, one command after another. @throws Error of the file system, or with a sentence where the file
 * cannot be read or another process does not let go of it.
 */
export async function changeChoices(
  stateDirectory: string,
  change: (before: readonly Choice[]) => readonly Choice[],
): Promise<void> {
  const path = choicesPath(stateDirectory);
  const done = await changeAlone({ path }, async () => {
    const read = readChoices(stateDirectory);
    if (read.kind === "broken") throw new Error(read.why);
    const choices = change(read.choices);
    await writeFormed({ choices }, { path, format: choicesFormat });
  });
  if (done.kind === "held") throw new Error(`another process does not let go of ${path}.lock`);
}
