/** This machine's git repositories -> what names depend on them, as the daemon knows it; loaded where it is needed. */
import { type Checkouts, checkouts } from "../../discovery/checkouts.ts";
import { type WorktreeLabels, worktreeLabels } from "../../discovery/worktree-labels.ts";
import { systemClock } from "../../system/clock.ts";

export type OwnCheckouts = { known: Checkouts; worktrees: WorktreeLabels };

export function ownCheckouts(): OwnCheckouts {
  const known = checkouts({ uid: process.getuid?.() ?? 0, clock: systemClock });
  return { known, worktrees: worktreeLabels(known) };
}
