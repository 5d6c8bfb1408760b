/** A fault that somebody could make in a file -> the file's text with the guard gone. Pure. */

export type Fault = {
  /** A sentence: the guard that is gone. */
  name: string;
  /** From the root of the tree. */
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  /** Test files, from the root of the tree: with the fault, one of their tests has to fail. */
  tests: readonly string[];
  /** A pattern of test names, where the files have many more. */
  only?: string;
  /** Set where only a test with a second user can see the fault: as root, with setpriv. */
  needs?: "another user";
};

export type Planted = { kind: "planted"; text: string } | { kind: "stale"; why: string };

export function planted(text: string, { file, find, replace }: Fault): Planted {
  const at = text.indexOf(find);
  if (at === -1) return { kind: "stale", why: "the text is not there" };
  if (text.indexOf(find, at + 1) !== -1) {
    return { kind: "stale", why: "the text is there more than once" };
  }
  const faulty = text.slice(0, at) + replace + text.slice(at + find.length);
  const why = syntaxErrorIn(faulty, file);
  return why === undefined
    ? { kind: "planted", text: faulty }
    : { kind: "stale", why: `with the fault, the file cannot be read: ${why}` };
}

/** A file that does not load fails every test, which says nothing of a guard. */
function syntaxErrorIn(text: string, file: string): string | undefined {
  const loader = /\.(tsx?)$/.exec(file)?.[1];
  if (loader === undefined) return undefined;
  try {
    new Bun.Transpiler({ loader: loader as "ts" | "tsx" }).transformSync(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
