/** The kept choices -> those that hold; one whose worktree is gone is taken out of the file, and a person is told. */
import type { Checkouts } from "../discovery/checkouts.ts";
import { changeChoices, type KeptChoices, keptChoices } from "../discovery/kept-choices.ts";
import { listed } from "../text/list.ts";
import { printable } from "../text/printable.ts";
import { faultText } from "./fault-text.ts";

export type ChosenOptions = {
  stateDirectory: string;
  checkouts: Pick<Checkouts, "worktrees">;
  note(text: string): void;
};

export function chosenWorktrees({ stateDirectory, checkouts, note }: ChosenOptions): KeptChoices {
  return keptChoices({
    stateDirectory,
    checkouts,
    note,
    onGone(gone) {
      for (const { label, root, of, names } of gone) {
        const what = of ?? (names.length === 0 ? "its names" : listed(names));
        const show = of === undefined && names.length !== 1 ? "show" : "shows";
        note(
          `the worktree ${label} is gone (${printable(root, 4096)}): ${what} ${show} the main checkout again`,
        );
      }
      const roots = new Set(gone.map((its) => its.root));
      changeChoices(stateDirectory, (before) => before.filter((its) => !roots.has(its.root))).catch(
        (error: unknown) => note(`the choice could not be ended: ${faultText(error)}`),
      );
    },
  });
}
