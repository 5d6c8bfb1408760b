/** Patterns as in a .gitignore -> the paths that they match, as gitignore(5) has it. Pure. */
import { shown } from "../text/shown.ts";

export type PathRules = {
  /** Relative, without a slash at either end; folders above it are looked at too. The last rule that matches counts. */
  matches(path: string, options: { isFolder: boolean }): boolean;
  /** Whether a rule that is no exception matches this very path, whatever comes behind it. */
  names(path: string, options: { isFolder: boolean }): boolean;
};

export type ReadPathRules = {
  rules: PathRules;
  /** `index`: in the list of patterns. */
  mistakes: readonly { index: number; what: string }[];
};

type Rule = { isException: boolean; onlyFolders: boolean; expression: RegExp };

export function readPathRules(patterns: readonly string[]): ReadPathRules {
  const rules: Rule[] = [];
  const mistakes: { index: number; what: string }[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const read = ruleOf(pattern);
    if (typeof read === "string") mistakes.push({ index, what: read });
    else if (read !== undefined) rules.push(read);
  }
  return { rules: { matches: matching(rules), names: naming(rules) }, mistakes };
}

/** A rule on a folder holds for everything in it: an exception below it has no effect, as in git. */
function matching(rules: readonly Rule[]): PathRules["matches"] {
  const hit = (path: string, isFolder: boolean): boolean => {
    const last = rules.findLast(
      ({ onlyFolders, expression }) => (isFolder || !onlyFolders) && expression.test(path),
    );
    return last !== undefined && !last.isException;
  };
  return (path, { isFolder }) => {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      if (hit(path.slice(0, end), true)) return true;
    }
    return hit(path, isFolder);
  };
}

function naming(rules: readonly Rule[]): PathRules["names"] {
  return (path, { isFolder }) =>
    rules.some(
      ({ isException, onlyFolders, expression }) =>
        !isException && (isFolder || !onlyFolders) && expression.test(path),
    );
}

/** Undefined for a comment or an empty line; a text is a mistake. */
function ruleOf(written: string): Rule | string | undefined {
  // Spaces at the end do not count, unless a backslash stands in front of one.
  const pattern = written.replace(/(\\ )? *$/, "$1");
  if (pattern === "" || pattern.startsWith("#")) return undefined;
  if (/[\n\0]/.test(pattern)) return `${shown(written)} has a character that no path has`;
  const isException = pattern.startsWith("!");
  const whole = isException ? pattern.slice(1) : pattern;
  const onlyFolders = whole.endsWith("/");
  const body = onlyFolders ? whole.slice(0, -1) : whole;
  // A slash in front or in the middle binds it to the folder of the file; else it is a name at any depth.
  const isBound = body.includes("/");
  const inside = body.replace(/^\//, "");
  if (inside === "") return `${shown(written)} names no path`;
  const expression = expressionOf(inside);
  if (expression === undefined) return `${shown(written)} is no pattern`;
  try {
    const text = `^${isBound ? "" : "(?:.*/)?"}${expression}$`;
    return { isException, onlyFolders, expression: new RegExp(text, "su") };
  } catch {
    // A range that goes backward, such as [z-a].
    return `${shown(written)} is no pattern`;
  }
}

/** `**` is special only where it is the whole of a part between slashes; `*` is meant elsewhere. */
const token =
  /(?<=^|\/)\*\*\/|\*+|\?|\\[\s\S]|\[([!^]|(?![!^]))((?:\]|(?!\]))(?:\\[\s\S]|\[:[a-z]+:\]|[^\]\\])*)\]|[\s\S]/gu;

function expressionOf(pattern: string): string | undefined {
  let expression = "";
  for (const { 0: its, 1: not, 2: set, index } of pattern.matchAll(token)) {
    const isWholeEnd = index + 2 === pattern.length && (index === 0 || pattern[index - 1] === "/");
    if (its === "**/") expression += "(?:.*/)?";
    else if (its === "**" && isWholeEnd) expression += ".+";
    else if (its.startsWith("*")) expression += "[^/]*";
    else if (its === "?") expression += "[^/]";
    else if (set !== undefined) {
      const inner = setOf(set);
      if (inner === undefined) return undefined;
      expression += `(?!/)[${not === "" ? "" : "^"}${inner}]`;
    } else if (its === "\\" || its === "[") return undefined;
    else expression += literal(its.length > 1 && its.startsWith("\\") ? its.slice(1) : its);
  }
  return expression;
}

const classes: Readonly<Record<string, string>> = {
  alnum: "a-zA-Z0-9",
  alpha: "a-zA-Z",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "\\x21-\\x7e",
  lower: "a-z",
  print: "\\x20-\\x7e",
  punct: "\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e",
  space: "\\s",
  upper: "A-Z",
  xdigit: "0-9a-fA-F",
};

function setOf(set: string): string | undefined {
  let inner = "";
  for (const [its, name, escaped] of set.matchAll(/\[:([a-z]+):\]|\\([\s\S])|[\s\S]/gu)) {
    if (name !== undefined) {
      if (!Object.hasOwn(classes, name)) return undefined;
      inner += classes[name]!;
    } else if (escaped !== undefined) inner += escaped === "-" ? "\\-" : literal(escaped);
    else inner += its === "-" ? "-" : literal(its);
  }
  return inner;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
}
