/** A private file -> the names that folders have, and back. A broken file is empty. */
import type { Clock } from "../system/clock.ts";
import { jsonFile } from "../system/json-file.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { type KeptName, readKept } from "./kept-names.ts";

export interface InferredFile {
  read(): readonly KeptName[];
  /** Written soon. */
  save(names: readonly KeptName[]): void;
  flush(): Promise<void>;
}

export type InferredFileOptions = {
  path: string;
  clock: Clock;
  /** Receives a sentence for a person. */
  note(text: string): void;
};

/** Bytes: a thousand entries with long folders. */
const longest = 4 * 1024 * 1024;
export function inferredPath(stateDirectory: string): string {
  return `${stateDirectory}/folder-names.json`;
}

/** The file as it is now. Never throws, never waits; `note` says why a file is not used. */
export function readInferred(path: string, note: (text: string) => void): readonly KeptName[] {
  // Others may read it, and nobody else may have written it.
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return [];
  const why = {
    exposed: "another user owns it, or may write it",
    broken: "it is no file of ours",
    unknown: "it cannot be read now",
    text: "its content is not valid",
  }[its.kind];
  const names = its.kind === "text" ? namesIn(its.text) : undefined;
  if (names !== undefined) return names;
  note(`${path} cannot be used (${why}); folders get their names anew`);
  return [];
}

export function inferredFile({ path, clock, note }: InferredFileOptions): InferredFile {
  const file = jsonFile<readonly KeptName[]>({ path, clock, note, check: readKept });
  return {
    read: () => readInferred(path, note),
    save: (names) => file.save(() => names),
    flush: () => file.flush(),
  };
}

function namesIn(text: string): readonly KeptName[] | undefined {
  try {
    return readKept(JSON.parse(text));
  } catch {
    // Torn: the caller says so.
    return undefined;
  }
}
