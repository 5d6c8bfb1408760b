/** The lines of a .dockerignore -> the paths that are left out of a build, as the `docker` command has it. Pure. */

export type Ignored = {
  /** Whether a path, relative to the context, is left out. */
  has(path: string): boolean;
  /** Whether something below a folder that is left out may be in nevertheless. */
  mayHoldMore(folder: string): boolean;
};

export type ReadIgnored = { kind: "ignored"; ignored: Ignored } | { kind: "bad"; why: string };

type Rule = { pattern: string; isException: boolean; matches(path: string): boolean };

/**
 * In the order of the rules, each of which counts for everything below a folder that it matches. One is only looked at
 * where it would change something: an exception for a folder that was in anyway is none for what is below it.
 * github.com/moby/patternmatcher, MatchesUsingParentResults.
 */
export function readIgnored(text: string): ReadIgnored {
  const rules: Rule[] = [];
  for (const [number, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    if (line.startsWith("#")) continue;
    const written = line.trim();
    if (written === "") continue;
    const isException = written.startsWith("!");
    const pattern = cleaned(isException ? written.slice(1).trim() : written);
    if (pattern === "") return { kind: "bad", why: `line ${number + 1}: ! stands without a path` };
    const matches = matcher(pattern);
    if (matches === undefined) {
      return { kind: "bad", why: `line ${number + 1}: ${written.slice(0, 100)} is no pattern` };
    }
    rules.push({ pattern, isException, matches });
  }
  return { kind: "ignored", ignored: ignoredBy(rules) };
}

function ignoredBy(rules: readonly Rule[]): Ignored {
  const exceptions = rules.filter(({ isException }) => isException);
  return {
    has(path) {
      let above: readonly boolean[] = rules.map(() => false);
      let isOut = false;
      for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
        const part = end === -1 ? path : path.slice(0, end);
        isOut = false;
        const here: boolean[] = [];
        for (const [index, { isException, matches }] of rules.entries()) {
          const its = above[index]! || (isException === isOut && matches(part));
          here.push(its);
          if (its) isOut = !isException;
        }
        if (end === -1) return isOut;
        above = here;
      }
    },
    mayHoldMore(folder) {
      return exceptions.some(
        ({ pattern }) => pattern.startsWith(`${folder}/`) || /[*?[\\]/.test(pattern),
      );
    },
  };
}

/** As Go's path.Clean, without a slash in front. */
function cleaned(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !pattern.startsWith("/")) parts.push(part);
  }
  if (parts.length > 0) return parts.join("/");
  return pattern === "" ? "" : ".";
}

/** Undefined: it is no pattern. */
function matcher(pattern: string): Rule["matches"] | undefined {
  // `**foo` is everything that ends with foo, and `**/foo` any foo.
  const end = /^\*\*(\/?)([^*?[\]\\]+)$/.exec(pattern);
  if (end !== null) {
    const [, slash, rest] = end;
    return (path) => path.endsWith(`${slash}${rest}`) || (slash !== "" && path === rest);
  }
  const expression = expressionOf(pattern);
  if (expression === undefined) return undefined;
  try {
    const its = new RegExp(`^${expression}$`, "su");
    return (path) => its.test(path);
  } catch {
    // A range that goes backward, such as [z-a].
    return undefined;
  }
}

const token = /\*\*\/?|\*|\?|\\[\s\S]|\[(\^?)((?:\\[\s\S]|[^\]\\])+)\]|[\s\S]/gu;

function expressionOf(pattern: string): string | undefined {
  let expression = "";
  for (const { 0: its, 1: not, 2: set, index } of pattern.matchAll(token)) {
    const isLast = index + its.length === pattern.length;
    if (its.startsWith("**")) expression += isLast ? ".*" : "(.*/)?";
    else if (its === "*") expression += "[^/]*";
    else if (its === "?") expression += "[^/]";
    else if (set !== undefined) expression += `[${not}${setOf(set)}]`;
    else if (its === "\\" || its === "[") return undefined;
    else expression += literal(its.length > 1 && its.startsWith("\\") ? its.slice(1) : its);
  }
  return expression;
}

function setOf(set: string): string {
  return [...set.matchAll(/\\([\s\S])|([\s\S])/gu)]
    .map(([, escaped, plain]) => (escaped === "-" ? "\\-" : literal(escaped ?? plain!)))
    .join("");
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
}
