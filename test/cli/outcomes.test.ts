/** What happened in a trust store, as a terminal gets it. */
import { expect, test } from "bun:test";
import pc from "picocolors";
import { rowOf, tellRow } from "../../src/cli/trust/outcomes.ts";

test("a folder, and what tools say of it, are shown and not acted on", () => {
  let shown = "";
  const screen = {
    colors: pc.createColors(false),
    write(text: string) {
      shown += text;
    },
  };
  const about = {
    store: "Firefox (~/\x1b[2Ja.default)",
    authority: "names",
    action: "check",
  } as const;
  const outcome = {
    kind: "failed",
    why: "certutil:\rok\x07",
    fix: "certutil -d '\u202ex'",
  } as const;
  tellRow(rowOf(about, outcome), screen as never);
  expect(shown).toBe(
    "failed       Firefox (~/\\x1b[2Ja.default): certutil:\\x0dok\\x07\n             -> certutil -d '\\u202ex'\n",
  );
});
