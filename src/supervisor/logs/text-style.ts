/** SGR parameters (ECMA-48 section 8.3.117) -> the style of the text that follows, in a shape of its own. Pure. */

/** Parameters that lead to it from plain text, such as `1;31`; empty: plain. */
export type Style = string;

/** The property that a parameter sets; a later one of the same kind replaces it. */
function kindOf(code: number): string | undefined {
  if ((code >= 30 && code <= 38) || (code >= 90 && code <= 97)) return "ink";
  if ((code >= 40 && code <= 48) || (code >= 100 && code <= 107)) return "paper";
  return kinds[code];
}

const kinds: Readonly<Record<number, string>> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "underline",
  5: "blink",
  6: "blink",
  7: "inverse",
  8: "hidden",
  9: "strike",
  21: "underline",
  53: "overline",
  58: "underline ink",
};

const ends: Readonly<Record<number, readonly string[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  25: ["blink"],
  27: ["inverse"],
  28: ["hidden"],
  29: ["strike"],
  39: ["ink"],
  49: ["paper"],
  55: ["overline"],
  59: ["underline ink"],
};

/** Characters of `38:2::255:255:255`, with leading zeros; each cell may have such a style. */
const longestWord = 24;

export function styleAfter(style: Style, parameters: string): Style {
  const all = new Map<string, string>();
  for (const given of [style, parameters]) apply(given, all);
  return [...all.values()].join(";");
}

function apply(parameters: string, all: Map<string, string>): void {
  if (parameters === "") return;
  const words = parameters.split(";");
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const code = Number.parseInt(word, 10) || 0;
    if (code === 0 || word === "4:0") {
      if (code === 0) all.clear();
      else all.delete("underline");
      continue;
    }
    for (const kind of ends[code] ?? []) all.delete(kind);
    const kind = kindOf(code);
    if (kind === undefined) continue;
    let whole = word;
    // 38;5;n, or 38;2;r;g;b; with colons it is one word.
    if ((code === 38 || code === 48 || code === 58) && !word.includes(":")) {
      const more = words[at + 1] === "5" ? 2 : words[at + 1] === "2" ? 4 : 0;
      if (more === 0 || at + more >= words.length) return;
      whole = words.slice(at, at + more + 1).join(";");
      at += more;
    }
    if (whole.length > longestWord) continue;
    all.delete(kind);
    all.set(kind, whole);
  }
}

/** The sequence that changes the one style into the other. */
export function change(from: Style, to: Style): string {
  if (from === to) return "";
  if (to === "") return "\u001b[0m";
  return from === "" ? `\u001b[${to}m` : `\u001b[0;${to}m`;
}
