/** The text of a state file, of whatever version of this program -> its value in the present form; and back. */
import { pastedWord } from "../text/shell-words.ts";
import { writeAtomically } from "./atomic-file.ts";
import { readPrivateFile } from "./private-file.ts";
import { replacePrivateText } from "./private-text.ts";

/**
 * The forms that a file has had: step n turns a value of form n into form n + 1, and the form that is written now has
 * the number of steps. A file without a version is of form 0. A step gets any JSON value, and returns what it does not
 * understand as it is: the check of the present form refuses it.
 */
export type StateFormat = readonly ((value: unknown) => unknown)[];

export type InForm =
  | { kind: "value"; value: unknown; isOlder: boolean }
  /** A later version of this program has written the file. */
  | { kind: "newer"; why: string; fix: string };

/** The first form with a version has the same fields as the one without. */
export const onlyVersioned: StateFormat = [(value) => value];

/** For files that were a list: `{"version":1,"<key>":[…]}`. */
export function listUnder(key: string): StateFormat {
  return [(value) => (Array.isArray(value) ? { [key]: value } : value)];
}

export function inForm(value: unknown, { path, format }: Formed): InForm {
  const version = versionOf(value);
  if (version > format.length) {
    return {
      kind: "newer",
      why: `it was written by a newer localhostess (form ${version}; this one knows up to ${format.length})`,
      fix: `use that version (localhostess upgrade), or begin anew: mv ${pastedWord(path)} ${pastedWord(`${path}.newer`)}`,
    };
  }
  let its = value;
  for (const step of format.slice(version)) its = step(its);
  return { kind: "value", value: its, isOlder: version < format.length };
}

export type Formed = { path: string; format: StateFormat };

/** The text of a file with the version in front. */
export function formedText(value: object, format: StateFormat): string {
  return `${JSON.stringify({ version: format.length, ...value }, undefined, 2)}\n`;
}

/**
 * Replaces the file. One of an older form is kept beside it as `.bak`.
 * @throws Error of the file system, and one with a sentence where the file is of a newer form: it stays as it is.
 */
export async function writeFormed(value: object, formed: Formed): Promise<void> {
  keepOlder(formed);
  await writeAtomically(formed.path, formedText(value, formed.format));
}

/** Bytes. A thousand services take less than 1 MiB. */
export const longestState = 64 * 1024 * 1024;

/** To be called before the first write in the present form. @throws as `writeFormed`. */
export function keepOlder(formed: Formed): void {
  const { path } = formed;
  const its = readPrivateFile(path, { limit: longestState, forbidden: 0o022 });
  if (its.kind !== "text") return;
  const value = parsed(its.text);
  if (value === undefined) return;
  const read = inForm(value, formed);
  if (read.kind === "newer") throw new NewerForm(path, read);
  if (read.isOlder) replacePrivateText(`${path}.bak`, its.text);
}

export class NewerForm extends Error {
  constructor(path: string, { why, fix }: { why: string; fix: string }) {
    super(`${path} stays as it is: ${why}; ${fix}`);
  }
}

/** Sentences about the files that a newer version has written: a daemon that starts all the same would replace them. */
export function newerFiles(files: readonly Formed[]): string[] {
  return files.flatMap((formed) => {
    const its = readPrivateFile(formed.path, { limit: longestState, forbidden: 0o022 });
    const read = its.kind === "text" ? inForm(parsed(its.text), formed) : undefined;
    return read?.kind === "newer" ? [`${formed.path}: ${read.why}; ${read.fix}`] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A broken file has no form; whoever reads it for its value says so.
    return undefined;
  }
}

function versionOf(value: unknown): number {
  const version = (value as { version?: unknown } | null | undefined)?.version;
  return Number.isSafeInteger(version) && (version as number) > 0 ? (version as number) : 0;
}
