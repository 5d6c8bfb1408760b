/** How the main process of a run ended, and who was below it -> how the program itself ended. Pure. */
import { constants } from "node:os";
import type { Ending } from "./ending.ts";
import type { Entry, Member, Plan, Role } from "./ending-plan.ts";

export type EndedFamily = {
  /** The pid of the main process. */
  main: number;
  /** In the order of their births. */
  plan: Plan;
  /** Those that were seen. A program that reaps its children keeps how they ended to itself. */
  endings: ReadonlyMap<number, Ending>;
  signal: NodeJS.Signals;
};

/**
 * A shell that was held until its children had ended dies of the signal that waited for it, which says nothing of the
 * program below. Nor does a program that ends as one that the signal has ended, after the only one that it has
 * started: a runner (npm, nodemon, make), or a launcher.
 */
export function programEnding(own: Ending, { main, plan, endings, signal }: EndedFamily): Ending {
  let ending = own;
  let entry = plan.get(main);
  for (const seen = new Set<number>(); entry !== undefined;) {
    const { pid } = entry.member;
    if (seen.has(pid)) return ending;
    seen.add(pid);
    const below: Entry[] = [...plan.values()].filter(
      ({ member, role }) => member.parent === pid && mayBeTheProgram(member, role),
    );
    // The last that a shell has started is the one that it waits for.
    const next = below.at(-1);
    if (next === undefined) return ending;
    const reports =
      below.length === 1 && tells(ending, signal) && (isHeld(entry) || isHeldShell(next));
    if (!isHeldShell(entry) && !reports) return ending;
    const deeper = endings.get(next.member.pid);
    // A program that reaps a held shell knows what everybody knows: the signal ended it.
    if (deeper === undefined && !isHeldShell(next)) return ending;
    entry = next;
    ending = deeper ?? ending;
  }
  return ending;
}

/** A guard that ignores the signal (pnpm has one), the reader of a pipeline, and a newcomer are not the program. */
function mayBeTheProgram({ answer }: Member, role: Role): boolean {
  return answer !== "ignores" && role !== "reader" && role !== "late";
}

function isHeldShell(entry: Entry): boolean {
  return entry.member.answer === "dies" && isHeld(entry);
}

function isHeld({ role }: Entry): boolean {
  return role === "above" || role === "last";
}

/** Whether it ended as one does that passes on that its child was ended by the signal. */
function tells({ code, signal: by }: Ending, signal: NodeJS.Signals): boolean {
  return by === signal || code === 128 + constants.signals[signal];
}
