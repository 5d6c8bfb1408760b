/** A folder -> the linked worktree of git that it is in, with the facts that names outside of discovery need. */
import type { Checkouts } from "./checkouts.ts";

export type LinkedWorktree = {
  label: string;
  root: string;
  /** The main checkout's folder. */
  main: string | undefined;
};

/** Undefined: the folder is in none. */
export function linkedWorktree(
  folder: string,
  { checkouts }: { checkouts: Pick<Checkouts, "of"> },
): LinkedWorktree | undefined {
  const its = checkouts.of(folder);
  if (its?.label === undefined) return undefined;
  return { label: its.label, root: its.root, main: its.main };
}
