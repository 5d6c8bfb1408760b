/** A reference to a repository -> its files at one commit, in a folder of the cache; fetched once, by git. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../../system/atomic-file.ts";
import { sizeOfFolder } from "../../system/copy-folder.ts";
import { readText } from "../../system/read-text.ts";
import { searchPath, whereIs } from "../../system/search-path.ts";
import { moveWhole, removeUnfinished, unfinishedPath } from "../../system/whole-folder.ts";
import { printable } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import type { BuildEffects } from "./buildpack.ts";
import { shellVariables } from "./environment.ts";
import { isThere } from "./inline.ts";
import type { GitReference } from "./reference.ts";
import { runScript } from "./run-script.ts";

export type Fetching = {
  /** Absolute: what is fetched for all projects. Made where it is missing. */
  folder: string;
  /** The shell's. */
  env: Readonly<Record<string, string>>;
  /** The repository is asked again where its tag or branch is. */
  fresh: boolean;
  /** Milliseconds for all of it. */
  limit?: number;
};

export type Fetched =
  /** `directory`: the root of the repository, at `commit`. */
  | { kind: "fetched"; directory: string; commit: string }
  /** `why`: a sentence for a person. */
  | { kind: "failed"; why: string };

type Effects = Pick<BuildEffects, "write" | "signal">;

/** Milliseconds; a repository of buildpacks has some MiB. */
const usualLimit = 300_000;

/** Bytes of a repository at one commit, with git's own files. */
const largest = 1024 * 1024 * 1024;

/** Milliseconds between two looks at how large it has become. */
const lookEvery = 2000;

const isCommit = (ref: string | undefined): ref is string => /^[0-9a-f]{40}$/.test(ref ?? "");

/** Never rejects. */
export async function fetched(
  reference: GitReference,
  { folder, env, fresh, limit = usualLimit }: Fetching,
  effects: Effects,
): Promise<Fetched> {
  const { url, ref } = reference;
  const name = ref === undefined ? url : `${url}#${ref}`;
  const key = new Bun.CryptoHasher("sha256").update(url).digest("hex").slice(0, 32);
  const own = join(folder, key);
  try {
    const cached = await cachedIn(own, ref);
    if (cached !== undefined && (!fresh || isCommit(ref))) return cached;
    effects.write(`fetching ${name}`);
    const outcome = await fetchInto(own, { reference, env, limit, effects });
    if (outcome.kind === "fetched" || cached === undefined) return outcome;
    effects.write(`${outcome.why}; the copy from before is used, at commit ${cached.commit}`);
    return cached;
  } catch (error) {
    const { message } = error as Error;
    return { kind: "failed", why: `${name} cannot be kept in ${own}: ${message}` };
  }
}

type Cached = Extract<Fetched, { kind: "fetched" }>;

/** `refs/<name>` says at which commit a tag or a branch was; a folder `<commit>` has its files. */
async function cachedIn(own: string, ref: string | undefined): Promise<Cached | undefined> {
  const commit = isCommit(ref) ? ref : await recorded(own, ref);
  if (commit === undefined) return undefined;
  const directory = join(own, commit);
  return (await isThere(directory)) ? { kind: "fetched", directory, commit } : undefined;
}

async function recorded(own: string, ref: string | undefined): Promise<string | undefined> {
  const its = await readText(recordOf(own, ref), { longest: 1024 });
  const commit = its.kind === "text" ? its.text.trim() : undefined;
  return isCommit(commit) ? commit : undefined;
}

/** A branch may be named like a folder of others; an encoded name has no slash. */
function recordOf(own: string, ref: string | undefined): string {
  return join(own, "refs", ref === undefined ? "HEAD@" : encodeURIComponent(ref));
}

type Into = {
  reference: GitReference;
  env: Readonly<Record<string, string>>;
  limit: number;
  effects: Effects;
};

async function fetchInto(own: string, { reference, env, limit, effects }: Into): Promise<Fetched> {
  const { url, ref } = reference;
  const name = ref === undefined ? url : `${url}#${ref}`;
  const program = whereIs("git", env.PATH);
  if (program === undefined) {
    return { kind: "failed", why: `git, which fetches ${name}, was not found in PATH; install it` };
  }
  await mkdir(join(own, "refs"), { recursive: true, mode: 0o700 });
  removeUnfinished(own);
  const temporary = unfinishedPath(join(own, "fetched"));
  const repository = join(temporary, "git");
  const tree = join(temporary, "tree");
  const tooLarge = new AbortController();
  const timer = setInterval(() => {
    void sizeOfFolder(temporary)
      .then((size) => size > largest && tooLarge.abort())
      .catch(() => {
        // The folder is gone: it is over.
      });
  }, lookEvery);
  const deadline = performance.now() + limit;
  const git = async (...words: string[]): Promise<{ out: string[]; why: string | undefined }> => {
    const out: string[] = [];
    const end = await runScript(
      {
        path: program,
        args: [...gitWords(url), `--git-dir=${repository}`, ...words],
        cwd: "/",
        env: gitEnvironment(env),
        limit: Math.max(1, deadline - performance.now()),
      },
      {
        signal: AbortSignal.any([effects.signal, tooLarge.signal]),
        line: (text) => void (out.length < 1000 && out.push(printable(text))),
      },
    );
    if (end.kind === "ended" && end.code === 0) return { out, why: undefined };
    if (end.kind === "late") return { out, why: `took longer than ${limit / 1000} s` };
    if (end.kind === "killed") return { out, why: `git was ended by ${end.signal}` };
    if (end.kind === "unstartable") return { out, why: end.why };
    if (end.kind === "ended") return { out, why: saidBy(out) };
    return {
      out,
      why: tooLarge.signal.aborted ? `is larger than ${shownSize(largest)}` : "was given up",
    };
  };
  try {
    await mkdir(tree, { recursive: true, mode: 0o700 });
    const made = await git("init", "-q", "--bare", "--template=");
    if (made.why !== undefined) return failed(name, made.why);
    const wanted = ref ?? "HEAD";
    const brought = await git("fetch", "-q", "--no-tags", "--depth=1", "--", url, wanted);
    if (brought.why !== undefined) return failed(name, brought.why);
    const found = await git("rev-parse", "--verify", "FETCH_HEAD^{commit}");
    const commit = found.out.at(-1);
    if (!isCommit(commit)) return failed(name, found.why ?? "git does not name its commit");
    const laid = await git(`--work-tree=${tree}`, "checkout", "-q", "-f", commit, "--", ".");
    if (laid.why !== undefined) return failed(name, laid.why);
    const directory = join(own, commit);
    moveWhole(tree, directory);
    await writeAtomically(recordOf(own, ref), `${commit}\n`);
    return { kind: "fetched", directory, commit };
  } finally {
    clearInterval(timer);
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Nothing but HTTPS, also where a redirect leads; HTTP where the address is of this machine. */
function gitWords(url: string): string[] {
  const allowed = url.startsWith("http:") ? ["https", "http"] : ["https"];
  return [
    ...["-c", "protocol.allow=never"],
    ...allowed.flatMap((its) => ["-c", `protocol.${its}.allow=always`]),
    ...["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "-c", "gc.auto=0"],
  ];
}

/** Nobody is there who could answer a question. */
function gitEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const own = shellVariables(env);
  const quiet = { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "/bin/false", LC_ALL: "C" };
  return { ...own, ...quiet, PATH: searchPath(env.PATH) };
}

function saidBy(out: readonly string[]): string {
  const words = out
    .map((line) => line.replace(/^(?:fatal|error): /, ""))
    .filter((its) => its !== "");
  return words.length === 0 ? "git has failed without a word" : words.slice(-3).join(" ");
}

function failed(name: string, why: string): Fetched {
  const isMissing = /couldn't find remote ref|not our ref|unadvertised object/.test(why);
  const way = isMissing
    ? "; name a tag, a branch or all 40 digits of a commit behind #"
    : "; once it was fetched, builds need no network";
  return { kind: "failed", why: `${name} cannot be fetched: ${why}${way}` };
}
