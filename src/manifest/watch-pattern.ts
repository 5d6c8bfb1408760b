/** An entry of `watch`, and the folder that it is relative to -> names on the way to what it matches. Pure. */
import { shown } from "../text/shown.ts";

/** `any`: as many folders as there are, also none. */
export type Segment =
  { kind: "name"; name: string } | { kind: "glob"; text: string } | { kind: "any" };

export type WatchPath = {
  /** From the root of the file system. */
  segments: readonly Segment[];
  /** True for a path without a wildcard at its end: a file, or a folder with everything below it. */
  open: boolean;
};

export type WatchPattern = {
  /** True for `!`: what earlier patterns match is not watched. */
  negated: boolean;
  /** One, or one for each way to choose from its braces. */
  paths: readonly WatchPath[];
};

export type ReadPattern =
  { kind: "pattern"; pattern: WatchPattern } | { kind: "mistake"; what: string };

/** Bash has no limit; nobody writes that many by hand. */
const mostPaths = 256;

/** `folder` is absolute. */
export function watchPattern(text: string, folder: string): ReadPattern {
  const negated = text.startsWith("!");
  const body = negated ? text.slice(1) : text;
  const wrong = wrongIn(body);
  if (wrong !== undefined) return { kind: "mistake", what: `${shown(text)} ${wrong}` };
  const texts = expanded(body);
  if (texts === undefined) {
    const what = `${shown(text)} has braces for more than ${mostPaths} paths; use a wildcard instead`;
    return { kind: "mistake", what };
  }
  const paths: WatchPath[] = [];
  for (const its of texts) {
    const path = pathOf(its, folder);
    if (typeof path === "string") return { kind: "mistake", what: `${shown(text)} ${path}` };
    paths.push(path);
  }
  return { kind: "pattern", pattern: { negated, paths } };
}

/** Patterns in their order. Those with a mistake, which reading the file reports, are left out. */
export function watchPatterns(texts: readonly string[], folder: string): WatchPattern[] {
  return texts.flatMap((text) => {
    const read = watchPattern(text, folder);
    return read.kind === "pattern" ? [read.pattern] : [];
  });
}

/** Mistakes in a list of patterns, each with its place in the list. */
export function watchMistakes(
  texts: readonly string[],
  folder: string,
): { index: number; what: string }[] {
  const first = texts.findIndex((text) => !text.startsWith("!"));
  return texts.flatMap((text, index) => {
    const read = watchPattern(text, folder);
    if (read.kind === "mistake") return [{ index, what: read.what }];
    if (first !== -1 && index > first) return [];
    if (!read.pattern.negated) return [];
    const what = `${shown(text)} excludes nothing: patterns apply in order, so put it behind what it takes from, such as "src/**"`;
    return [{ index, what }];
  });
}

/** Behind the pattern, for a person: why it could never match. */
function wrongIn(text: string): string | undefined {
  if (text.trim() === "") return "is empty; name a file, a folder or a glob such as src/**/*.ts";
  if (text.includes("\0")) return "has a NUL, which no path has";
  if (/^~(?:[\w-]*\/|$)/.test(text))
    return "begins with ~, which only a shell expands; write the path";
  if (text.includes("${"))
    return "has a reference, and references are not filled in here; write the path";
  if (/[!@+?*]\(/.test(text)) {
    return "has an extended glob; use braces such as {a,b}, or a pattern of its own that begins with !";
  }
  return undefined;
}

function pathOf(text: string, folder: string): WatchPath | string {
  const segments: Segment[] = [];
  const whole = text.startsWith("/") ? text : `${folder.replace(/[\\*?[\]]/g, "\\$&")}/${text}`;
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    const last = segments.at(-1);
    if (part !== "..") {
      const next = segmentOf(part);
      if (next.kind !== "any" || last?.kind !== "any") segments.push(next);
    } else if (last === undefined) return "leads out of the file system";
    else if (last.kind !== "name") return "has .. behind a wildcard; write the path without it";
    else segments.pop();
  }
  if (segments[0]?.kind !== "name") {
    return "is the whole file system; name a folder in it, and a glob from there";
  }
  const open = segments.at(-1)!.kind === "name";
  // A folder, as its slash says: with a wildcard, it is told from a file by nothing else.
  const isFolder = text.endsWith("/") && segments.at(-1)!.kind === "glob";
  return { segments: open || isFolder ? [...segments, { kind: "any" }] : segments, open };
}

function segmentOf(part: string): Segment {
  if (part === "**") return { kind: "any" };
  const bare = part.replace(/\\(.)/g, "");
  if (!/[*?[]/.test(bare)) return { kind: "name", name: part.replace(/\\(.)/g, "$1") };
  return { kind: "glob", text: part };
}

/** Each way to choose from the braces, nested ones too. Undefined: there are too many. */
function expanded(text: string): string[] | undefined {
  let done: string[] = [""];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    const group = letter === "{" ? choicesAt(text, at) : undefined;
    if (group === undefined) {
      const piece = letter === "\\" ? text.slice(at, ++at + 1) : letter;
      done = done.map((its) => its + piece);
      continue;
    }
    const choices: string[] = [];
    for (const choice of group.choices) {
      const inner = expanded(choice);
      if (inner === undefined) return undefined;
      choices.push(...inner);
    }
    if (done.length * choices.length > mostPaths) return undefined;
    done = done.flatMap((its) => choices.map((choice) => its + choice));
    at = group.end;
  }
  return done;
}

/** The parts between commas of the brace that opens there; undefined where it is never closed. */
function choicesAt(text: string, start: number): { choices: string[]; end: number } | undefined {
  const choices: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\\") at++;
    else if (letter === "{") depth++;
    else if (letter === "," && depth === 1) {
      choices.push(text.slice(from, at));
      from = at + 1;
    } else if (letter === "}" && --depth === 0) {
      return { choices: [...choices, text.slice(from, at)], end: at };
    }
  }
  return undefined;
}
