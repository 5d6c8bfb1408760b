import { expect, test } from "bun:test";
import { agreed } from "../../src/cli/projects/db-store.ts";
import { UsageError } from "../../src/cli/shared/settings.ts";
import type { World } from "../../src/cli/shared/world.ts";

const question = "All data of shop:db will be removed. Remove it?";

/** `answer`: of the person at the terminal; undefined: there is none. */
const asking = (answer: string | undefined): World =>
  ({ prompt: async () => answer }) as unknown as World;

test("what cannot be undone needs a yes, or --yes where nobody can be asked", async () => {
  for (const answer of ["y", "Yes", " y "]) await agreed(question, {}, asking(answer));
  for (const answer of ["", "n", "yesterday"]) {
    await expect(agreed(question, {}, asking(answer))).rejects.toThrow("nothing was changed");
  }
  await expect(agreed(question, {}, asking(undefined))).rejects.toThrow(UsageError);
  await agreed(question, { yes: true }, asking(undefined));
  // With --json, stdin is another program's.
  const json = { ...asking("y"), json: {} } as unknown as World;
  await expect(agreed(question, {}, json)).rejects.toThrow("--yes");
});
