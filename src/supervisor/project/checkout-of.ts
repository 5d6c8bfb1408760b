/** A project's folder -> the checkout of a git repository that it is in, as it is at this moment. */
import { statSync } from "node:fs";
import { type Checkout, type Checkouts, checkouts } from "../../discovery/checkouts.ts";
import { systemClock } from "../../system/clock.ts";

/** Nothing is kept: a project is named once, right after its branch may have been switched. Never throws. */
export function checkoutOf(directory: string): Checkout | undefined {
  return checkoutsFor(directory).of(directory);
}

/** `folder`: one whose owner says what the files of git are worth. */
export function checkoutsFor(folder: string): Checkouts {
  return checkouts({ uid: trustedIn(folder), clock: systemClock });
}

/** To root all files are somebody's: in a container those of the project are its person's outside. */
function trustedIn(directory: string): number {
  const own = process.getuid?.() ?? -1;
  if (own !== 0) return own;
  try {
    return statSync(directory, { throwIfNoEntry: false })?.uid ?? own;
  } catch {
    // A loop of links: there is no project either.
    return own;
  }
}
