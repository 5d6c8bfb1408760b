/** A person's terminal after a program that was attached to: what it has set is ended, and nothing else. */
import { describe, expect, test } from "bun:test";
import { leavingIn, modesIn, modesReset } from "../../src/cli/projects/terminal-modes.ts";

const E = "\u001b[";

function resetAfter(...pieces: string[]): string {
  return modesReset(pieces.reduce((state, piece) => modesIn(state, piece), ""));
}

const cases: [string, string, string][] = [
  ["no modes: the cursor stays where it is", "text\r\n", ""],
  ["an alternate screen", `${E}?1049hfull`, `${E}?1049l`],
  ["an alternate screen that it has left", `${E}?1049hfull${E}?1049l`, ""],
  ["a hidden cursor, and the mouse", `${E}?25l${E}?1000;1006h`, `${E}?25h${E}?1000l${E}?1006l`],
  ["bracketed paste and the keypad", `${E}?2004h\u001b=`, `${E}?2004l\u001b>`],
  ["the keyboard protocol of kitty", `${E}>1u`, `${E}<u`],
  ["a terminal that was reset since", `${E}?25l${E}?1049h\u001bc`, ""],
  ["lines that are not wrapped, and text that is put in", `${E}?7l${E}4h`, `${E}?7h${E}4l`],
  ["a part of the screen that scrolls alone", `${E}2;20r`, `\u001b7${E}r\u001b8`],
  ["the whole screen that scrolls again", `${E}2;20r${E}r`, ""],
  ["letters that are drawn as lines", `\u001b(0lqk`, `\u001b(B`],
  ["letters that are letters again", `\u001b(0lqk\u001b(B`, ""],
  ["modes that change nothing which a person would see", `${E}?12h${E}20h${E}?1;2r`, ""],
];

describe("what is ended after", () => {
  for (const [name, output, expected] of cases) {
    test(`${name}, however it is cut`, () => {
      const whole = `${expected}${E}0m`;
      for (let at = 0; at <= output.length; at++) {
        expect(resetAfter(output.slice(0, at), output.slice(at))).toBe(whole);
      }
    });
  }
});

test("the key that leaves is found as every kind of terminal sends it, and no other key is it", () => {
  expect(leavingIn(Buffer.from("ab\u001dcd"))).toBe(2);
  expect(leavingIn(Buffer.from(`${E}93;5u`))).toBe(0);
  expect(leavingIn(Buffer.from(`x${E}27;5;93~`))).toBe(1);
  for (const typed of ["", "]", "\u001b]", "\u0003", `${E}A`, "ä\u0004"]) {
    expect(leavingIn(Buffer.from(typed))).toBeUndefined();
  }
});
