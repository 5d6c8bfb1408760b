/** Steps of a package manager -> shown as the commands that they are, and run. */
import { shellCommand } from "../../text/shell-words.ts";
import { Failure } from "../shared/failure.ts";
import { runManager } from "./run-manager.ts";
import type { Plan, Step } from "./upgrade-plan.ts";

type Steps = Extract<Plan, { kind: "steps" }>;

/** @throws a Failure with the first that fails. */
export async function runSteps(plan: Steps, env: Record<string, string>): Promise<void> {
  for (const step of stepsOf(plan)) await run(step, env);
}

/** With sudo in front where root owns the place, and we are not root. */
function stepsOf({ steps, rootsOwn }: Steps): Step[] {
  if (rootsOwn === undefined || process.getuid?.() === 0) return steps;
  return steps.map(({ words, folder }) => ({ words: ["sudo", ...words], folder }));
}

export function commandsOf(plan: Steps): string[] {
  return stepsOf(plan).map(({ words, folder }) => {
    const command = shellCommand(words);
    return folder === "/" ? command : `cd ${shellCommand([folder])} && ${command}`;
  });
}

async function run({ words, folder }: Step, env: Record<string, string>): Promise<void> {
  const ended = await runManager(words, { folder, env });
  const command = shellCommand(words);
  if (ended.kind === "missing") {
    throw new Failure("failed", `there is no ${words[0]} in PATH, which would run: ${command}`);
  }
  if (ended.kind === "failed") throw new Failure("failed", `${command}: ${ended.why}`);
  if (ended.code === 0) return;
  throw new Failure("failed", `${command} ended with ${ended.code}`);
}
