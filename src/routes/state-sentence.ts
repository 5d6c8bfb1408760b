/** A project's service -> its state as a sentence with the command that helps, the same at every door. Pure. */
import { unavailable } from "../manifest/order.ts";
import { printable } from "../text/printable.ts";
import { pastedWord } from "../text/shell-words.ts";
import { turnOf } from "./turn.ts";
import { upCommand } from "./pending.ts";
import type { Exit, Supervised, SupervisedState } from "./supervised.ts";

/** A predicate for each state: after the service's name, it completes a sentence. */
const words: Record<SupervisedState, string> = {
  stopped: "is stopped",
  starting: "is starting",
  running: "is starting",
  ready: "is ready",
  unready: "is not ready any more",
  stopping: "is stopping",
  exited: "has ended",
  completed: "is completed",
  backoff: "has ended",
  failed: "has failed",
};

/** States that the end of a process explains: an exit that lies further back says nothing about the others. */
const explained: ReadonlySet<SupervisedState> = new Set(["exited", "backoff", "failed"]);

/** Characters of a name and of a reason that are shown. */
const longestName = 80;
const longestReason = 200;
/** A folder's path has 4,096 characters at most, of which each may be quoted. */
const longestCommand = 20_000;

/** The last lines of a service that are shown where it cannot answer; `localhostess logs` shows more. */
export const linesShown = 30;

/** For example `exit code 1` or `SIGKILL`. */
export function exitText({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code ?? "unknown"}` : signal;
}

/**
 * `shop:api is starting`: the state alone. `isAbsent`: a request finds no answer, whatever the state says.
 */
export function stateWords(its: Supervised, { isAbsent = false } = {}): string {
  return `${printable(its.id, longestName)} ${predicate(its, isAbsent)}`;
}

function predicate({ state, lastExit }: Supervised, isAbsent: boolean): string {
  if (isAbsent && (state === "ready" || state === "unready")) return "does not answer yet";
  // Where no process has ended, none could be started.
  if (state === "backoff" && lastExit === undefined)
    return "could not be started and is tried again";
  return words[state];
}

/** `shop:api has failed (exit code 3): its port 80 needs a right`: the state and its cause, in one line. */
export function stateCause(its: Supervised, options: { isAbsent?: boolean } = {}): string {
  const { state, lastExit } = its;
  const exit = lastExit === undefined || !explained.has(state) ? "" : ` (${exitText(lastExit)})`;
  const again = state === "backoff" && lastExit !== undefined ? " and is tried again" : "";
  const why = reasonOf(its);
  const reason = why === "" ? "" : `: ${printable(why, longestReason)}`;
  const doubts = doubtsOf(its).map((doubt) => `; ${doubt}`);
  return `${stateWords(its, options)}${hasSaidWhy(its) ? "" : exit}${again}${reason}${doubts.join("")}`;
}

/** The exit code of such a program means nothing to a person, beside one in its words. */
function hasSaidWhy(its: Supervised): boolean {
  return its.state === "failed" && its.lastExit?.code === unavailable && reasonOf(its) === its.why;
}

/** `shop:api is ready; its folder is gone: ...`: of a service that answers, yet not as it should. */
export function doubtOf(its: Supervised): string | undefined {
  return doubtsOf(its).length === 0 ? undefined : stateCause(its);
}

/** Clauses that stand behind the state, whatever it is. */
function doubtsOf(its: Supervised): string[] {
  const elsewhere = its.warnings.filter((text) => text.startsWith(elsewhereStart)).slice(0, 1);
  return [
    ...elsewhere.map((text) => `it ${printable(text, longestReason)}`),
    ...its.warnings.filter((text) => text.startsWith(unbuiltStart)).map((text) => printable(text)),
    ...(its.isGone ? [printable(goneText(its), longestCommand)] : []),
  ];
}

/** Without the exit, which stands in brackets before it. What it says of itself tells why it is not ready yet. */
function reasonOf({ why, state, status, lastExit }: Supervised): string {
  if (state === "running" && why === undefined) return status ?? "";
  if (why === undefined || lastExit === undefined || !explained.has(state)) return why ?? "";
  const exit = endText(lastExit);
  return why.startsWith(exit) ? why.slice(exit.length).replace(/^; /, "") : why;
}

/** The end of a process as a reason: `ended with exit code 1`, `was ended by SIGKILL`. */
export function endText({ code, signal }: Pick<Exit, "code" | "signal">): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "ended" : `ended with exit code ${code}`;
}

const elsewhereStart = "listens on port ";

/** The warning on a service that listens on another port than its own only; after its name. */
export function elsewhereText(port: number, own: number | undefined): string {
  return `${elsewhereStart}${port}, not on PORT=${own}`;
}

/** The port in such a warning; undefined for any other. */
export function portElsewhere(warning: string): number | undefined {
  const port = warning.startsWith(elsewhereStart)
    ? Number.parseInt(warning.slice(elsewhereStart.length), 10)
    : Number.NaN;
  return Number.isNaN(port) ? undefined : port;
}

const unbuiltStart = "its last build ";

/** In the log, below the reason of the build itself. */
export const unbuiltNote = "its last build failed; it runs what was built before";

/** The warning on a service that runs what was built before its last build. `why`: a sentence. */
export function unbuiltText({ id, why }: { id: string; why: string | undefined }): string {
  const cause = printable(why ?? "its build failed", longestReason);
  const said = cause.startsWith("its build ")
    ? cause.slice("its build ".length)
    : `failed (${cause})`;
  return `${unbuiltStart}${said}; it runs what was built before; localhostess logs ${id}`;
}

export function goneText({
  directory,
  project,
}: Pick<Supervised, "directory" | "project">): string {
  return `its folder is gone: ${directory}; where it was moved to, localhostess up takes it on; else: localhostess registry forget ${project}`;
}

export type NextStep = {
  /** The purpose of the command: `to start it`. */
  what: string;
  /** May be pasted into a shell. */
  command: string;
};

/** The command that helps a service that cannot answer; undefined where it answers, or no command helps. */
export function nextStep(its: Supervised): NextStep | undefined {
  const turn = turnOf(its);
  if (turn === undefined || its.isGone) return undefined;
  if (turn === "wait") return { what: "to see its output", command: logsCommand(its) };
  const start = { command: startCommand(its) };
  if (turn === "wake") return { what: "it starts with its first request, or with", ...start };
  return { what: "to start it", ...start };
}

/** `shop:api is stopped; to start it: localhostess up /srv/shop api`: the state, its cause and what helps. */
export function stateSentence(its: Supervised): string {
  const next = nextStep(its);
  return `${stateCause(its)}${next === undefined ? "" : `; ${next.what}: ${next.command}`}`;
}

/** The last lines of a process whose end explains the state, oldest first. */
export function lastLinesOf({ state, lastExit }: Supervised): readonly string[] {
  return explained.has(state) ? (lastExit?.lastLines ?? []).slice(-linesShown) : [];
}

export function startCommand({ directory, service }: Supervised): string {
  return printable(`${upCommand(directory)} ${pastedWord(service)}`, longestCommand);
}

export function logsCommand({ id }: Pick<Supervised, "id">): string {
  return `localhostess logs ${pastedWord(id)}`;
}
