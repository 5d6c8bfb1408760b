/** The text that a program prints -> the modes that it has set and what ends them; and the key that leaves it. Pure. */

/** xterm's private modes that outlast a program: they change keys, the mouse, the cursor or the screen. */
const lasting: ReadonlySet<string> = new Set(
  "1 5 6 7 9 25 47 1000 1002 1003 1004 1005 1006 1015 1016 1047 1049 2004 2026 2031 2048".split(
    " ",
  ),
);

/** Modes that are on unless a program ends them. */
const usual: ReadonlySet<string> = new Set(["7", "25"]);

/** Other states that outlast it -> the sequence that ends each. */
const others: Readonly<Record<string, string>> = {
  keypad: "\u001b>",
  // The keyboard protocol of kitty: one level is taken off.
  keys: "\u001b[<u",
  insert: "\u001b[4l",
  // Also moves the cursor, which is saved meanwhile.
  region: "\u001b7\u001b[r\u001b8",
  graphics: "\u001b(B",
};

const sequence =
  /\u001b\[\?([\d;]+)([hl])|\u001b(?:([=>])|\[([<>])\d*u|\[4([hl])|\[([\d;]*)r|\(([0-9A-Z]))|\u001bc/g;
const begun = /\u001b(?:\(|\[[?<>]?[\d;]*)?$/;

/** `state`: what it gave back before; empty at first. */
export function modesIn(state: string, output: string): string {
  const [known = "", cut = ""] = state.split("\n");
  const modes = new Set(known === "" ? [] : known.split(" "));
  const text = cut + output;
  for (const [whole, list, on, keypad, keys, insert, region, set] of text.matchAll(sequence)) {
    if (whole === "\u001bc") modes.clear();
    else if (keypad !== undefined) change(modes, "keypad", keypad === "=");
    else if (keys !== undefined) change(modes, "keys", keys === ">");
    else if (insert !== undefined) change(modes, "insert", insert === "h");
    else if (region !== undefined) change(modes, "region", region !== "");
    else if (set !== undefined) change(modes, "graphics", set === "0");
    else {
      for (const mode of list!.split(";")) {
        if (lasting.has(mode)) change(modes, mode, (on === "h") !== usual.has(mode));
      }
    }
  }
  return `${[...modes].join(" ")}\n${begun.exec(text.slice(-32))?.[0] ?? ""}`;
}

function change(modes: Set<string>, mode: string, isSet: boolean): void {
  if (isSet) modes.add(mode);
  else modes.delete(mode);
}

/** Sequences that restore a person's terminal. */
export function modesReset(state: string): string {
  const [known = ""] = state.split("\n");
  const ends = (known === "" ? [] : known.split(" ")).map(
    (mode) => others[mode] ?? `\u001b[?${mode}${usual.has(mode) ? "h" : "l"}`,
  );
  return `${ends.join("")}\u001b[0m`;
}

/** Ctrl-], as terminals send it: as a control, by the protocol of kitty, and by xterm's modifyOtherKeys. */
const leaving = ["\u001d", "\u001b[93;5u", "\u001b[27;5;93~"];

/** Where the key that leaves stands in what was typed; undefined: nowhere. */
export function leavingIn(typed: Uint8Array): number | undefined {
  const text = Buffer.from(typed).toString("latin1");
  const found = leaving.map((key) => text.indexOf(key)).filter((at) => at !== -1);
  return found.length === 0 ? undefined : Math.min(...found);
}
