/** A name, as it is asked for by a browser that has chosen nothing itself -> the worktree that it shows, if it does. */
import { currentChoices, readChoices } from "../../discovery/kept-choices.ts";
import { type Chosen, chosenFor } from "../../routes/origins.ts";
import { routeTable } from "../../routes/table.ts";
import type { Walk } from "./step.ts";

export function shownWorktree(
  name: string,
  { sight, settings }: Pick<Walk, "sight" | "settings">,
): Chosen | undefined {
  const { services, supervised, tlds, routing } = sight;
  const read = readChoices(settings.stateDirectory);
  if (read.kind === "broken" || read.choices.length === 0) return undefined;
  const worktrees = (repository: string) => routing?.checkouts?.worktrees?.(repository) ?? [];
  const choices = currentChoices(read.choices, { worktrees }).holds;
  const { origins } = routeTable(services, { supervised, tlds, ...routing, choices });
  return origins && chosenFor(name, { origins, use: undefined });
}
