/** The log of a worktree's HEAD, and a moment -> the branch that was checked out then, if another has been since. */

/** Milliseconds: the log has whole seconds, and a process's start is known by another clock. */
const doubt = 5_000;

const entry = / (\d{1,12}) [+-]\d{4}\tcheckout: moving from (\S+) to \S+$/;
const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * `now` where nothing else was checked out since; `branch` is undefined where HEAD was detached. `log`: lines of
 * git-reflog(1), the oldest first. `time`: milliseconds since the Unix epoch.
 */
export function branchThen(
  log: string,
  time: number,
): { kind: "now" } | { kind: "then"; branch: string | undefined } {
  let before: string | undefined;
  for (const line of log.split("\n").toReversed()) {
    const found = entry.exec(line);
    if (found === null) continue;
    const [, seconds, from] = found;
    if (Number(seconds) * 1000 <= time + doubt) break;
    before = from;
  }
  if (before === undefined) return { kind: "now" };
  return { kind: "then", branch: commit.test(before) ? undefined : before };
}
