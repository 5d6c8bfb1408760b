/** Services of projects that do not answer, or not as they should -> lines below the list of servers. Pure. */
import { turnOf } from "../../routes/turn.ts";
import { doubtOf, stateSentence, stateWords } from "../../routes/state-sentence.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { listed } from "../../text/list.ts";

/** Services that are told in a sentence of their own, and those that are only counted up. */
const mostSentences = 5;
const mostStopped = 4;

/** Nobody wonders about these: somebody has stopped them, or a request starts them. */
function isAtRest({ state }: Supervised): boolean {
  return state === "stopped" || state === "completed";
}

export function absentNotes(supervised: readonly Supervised[]): string[] {
  const addressed = supervised.filter((its) => its.routeName !== undefined);
  const absent = addressed.filter((its) => turnOf(its) !== undefined);
  const resting = absent.filter((its) => isAtRest(its) && doubtOf(its) === undefined);
  const troubled = addressed.filter(
    (its) => !resting.includes(its) && (absent.includes(its) || doubtOf(its) !== undefined),
  );
  const left = troubled.length - mostSentences;
  const lines = troubled.slice(0, mostSentences).map(stateSentence);
  if (left > 0) lines.push(`${left} more: localhostess status --all`);
  if (resting.length > 0) {
    const words = resting.map((its) => `${stateWords(its)}${its.lazy ? " (lazy)" : ""}`);
    lines.push(`${listed(words, { most: mostStopped })}: localhostess status --all`);
  }
  return lines;
}
