/** A branch as typed, and what git knows -> where a new worktree of it begins. */
import { listed } from "../../text/list.ts";
import { Failure } from "../shared/failure.ts";
import { UsageError } from "../shared/settings.ts";
import { type Git, gitWhy } from "./git.ts";

export type Start = {
  branch: string;
  /** The words of `git worktree add`, before the folder and behind it. */
  before: readonly string[];
  after: readonly string[];
  /** For a person: `new, from main`. */
  meaning: string;
};

/** `from`: a commit that a new branch begins at. @throws UsageError, or a Failure for a person. */
export async function startOf(
  typed: string,
  { git, from }: { git: Git; from: string | undefined },
): Promise<Start> {
  const local = await isRef(git, `refs/heads/${typed}`);
  // `origin/fix`, as git prints the branches of others.
  const remote = local ? undefined : await remoteIn(typed, git);
  const branch = remote === undefined ? typed : typed.slice(remote.length + 1);
  const wellFormed = await git("check-ref-format", `refs/heads/${branch}`);
  if (branch.startsWith("-") || wellFormed.code !== 0) {
    throw new UsageError([`${JSON.stringify(branch)} is no name of a branch`]);
  }
  if (local || (await isRef(git, `refs/heads/${branch}`))) {
    if (from !== undefined) {
      throw new Failure("exists", `the branch ${branch} is there already; leave out --from`);
    }
    return { branch, before: [], after: [branch], meaning: "" };
  }
  if (from !== undefined) {
    const start = await git(
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${from}^{commit}`,
    );
    if (start.code !== 0) throw new Failure("not_found", `--from: ${from} is no commit here`);
    const commit = start.out.trim();
    return { branch, before: ["-b", branch], after: [commit], meaning: `new, from ${from}` };
  }
  const tracked = await remotesOf(branch, { git, remote });
  if (tracked.length > 1) {
    const all = listed(tracked, { conjunction: "or" });
    throw new Failure("ambiguous", `several remotes have ${branch}: name ${all}`);
  }
  const [upstream] = tracked;
  if (upstream !== undefined) {
    return {
      branch,
      before: ["--track", "-b", branch],
      after: [upstream],
      meaning: `new, follows ${upstream}`,
    };
  }
  const head = await git("rev-parse", "--abbrev-ref", "HEAD");
  if (head.code !== 0) {
    const why = "the repository has no commit yet, which a worktree begins at";
    throw new Failure("unsupported", `${why}; commit something first (${gitWhy(head)})`);
  }
  const meaning = `new, from ${head.out.trim()}`;
  return { branch, before: ["--no-track", "-b", branch], after: ["HEAD"], meaning };
}

/** The remote before a branch of it that is known here. */
async function remoteIn(typed: string, git: Git): Promise<string | undefined> {
  const remotes = (await git("remote")).out.split("\n").filter(Boolean);
  const its = remotes.filter((name) => typed.startsWith(`${name}/`));
  for (const name of its) if (await isRef(git, `refs/remotes/${typed}`)) return name;
  return undefined;
}

async function remotesOf(
  branch: string,
  { git, remote }: { git: Git; remote: string | undefined },
): Promise<string[]> {
  const names =
    remote === undefined ? (await git("remote")).out.split("\n").filter(Boolean) : [remote];
  const found: string[] = [];
  for (const name of names) {
    if (await isRef(git, `refs/remotes/${name}/${branch}`)) found.push(`${name}/${branch}`);
  }
  return found;
}

async function isRef(git: Git, ref: string): Promise<boolean> {
  return (await git("show-ref", "--verify", "--quiet", "--", ref)).code === 0;
}
