/** The findings of setup, and its steps -> lines for a person, and one value for a program. */
import { printable } from "../../text/printable.ts";
import type { World } from "../shared/world.ts";
import type { PartName, Step } from "./plan.ts";
import type { Looked, WholePlan } from "./whole-plan.ts";

export const partStates = ["done", "to do", "unneeded", "impossible"] as const;

export type SetupReport = {
  parts: {
    part: PartName;
    state: (typeof partStates)[number];
    why: string | null;
    fix: string | null;
  }[];
  /** Those that are due. */
  steps: { step: string; purpose: string; commands: readonly string[] }[];
};

type Row = SetupReport["parts"][number];

function rowOf({ part, plan }: Looked, { due, had }: WholePlan): Row {
  const row = { part: part.name, why: null, fix: null };
  if (plan.kind === "unneeded") return { ...row, state: "unneeded", why: plan.why };
  if (plan.kind === "impossible") {
    return { ...row, state: "impossible", why: plan.why, fix: plan.fix };
  }
  const ids = plan.steps.map(({ id }) => id);
  // One line of the users file has the rights of all parts.
  const isListed = plan.rights.every((right) => had.has(right));
  const first = due.find(({ id }) => ids.includes(id) || (id === "user" && !isListed));
  if (first === undefined) return { ...row, state: "done" };
  return { ...row, state: "to do", why: first.purpose, fix: `localhostess setup --${part.name}` };
}

export function reportOf(looked: readonly Looked[], plan: WholePlan): SetupReport {
  return {
    parts: looked.map((its) => rowOf(its, plan)),
    steps: plan.due.map(({ id, purpose, commands }) => ({ step: id, purpose, commands })),
  };
}

/** Characters: a path in a sentence. */
const longest = 5_000;

type PartsOptions = { plan: WholePlan; world: World; only?: "not possible" };

export function tellParts(looked: readonly Looked[], { plan, world, only }: PartsOptions): void {
  const screen = only === undefined ? world.out : world.err;
  const { green, yellow, red } = screen.colors;
  const colors = { done: green, unneeded: green, "to do": yellow, impossible: red };
  for (const its of looked) {
    const { part, state, why, fix } = rowOf(its, plan);
    if (only !== undefined && (state === "done" || state === "to do")) continue;
    const detail = why === null ? its.part.purpose : why;
    screen.write(`${colors[state](state.padEnd(10))}  ${part}: ${printable(detail, longest)}\n`);
    if (fix !== null) screen.write(`${" ".repeat(12)}${yellow(`-> ${printable(fix, longest)}`)}\n`);
  }
}

type StepsOptions = {
  /** Where the commands are the answer, and not what a person is asked about. */
  isAnswer: boolean;
  world: World;
};

/** The commands as they are run: what a terminal would act on is shown as it is written. */
export function tellSteps(due: readonly Step[], { world, isAnswer }: StepsOptions): void {
  const { write, colors } = isAnswer ? world.out : world.err;
  for (const { purpose, commands } of due) {
    write(`${purpose}\n`);
    for (const line of commands) write(`    ${colors.cyan(printable(line, longest))}\n`);
  }
}
