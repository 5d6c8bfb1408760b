/** A private file -> the names that folders have, and back. A broken file is empty. */
import type { Clock } from "../system/clock.ts";
import { jsonFile } from "../system/json-file.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { inForm, listUnder } from "../system/state-format.ts";
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

/** Once a list alone. */
export const inferredFormat = listUnder("folders");

export function inferredPath(stateDirectory: string): string {
  return `${stateDirectory}/folder-names.json`;
}

/** The file as it is now. Never throws, never waits; `note` says why a file is not used. */
export function readInferred(path: string, note: (text: string) => void): readonly KeptName[] {
  // Others may read it, and nobody else may have written it.
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return [];
  const broken = (why: string): readonly KeptName[] => {
    note(`${path} cannot be used (${why}); folders get their names anew`);
    return [];
  };
  if (its.kind !== "text") return broken(reasons[its.kind]);
  let value: unknown;
  try {
    value = JSON.parse(its.text);
  } catch {
    return broken(reasons.text);
  }
  const read = inForm(value, { path, format: inferredFormat });
  if (read.kind === "newer") return broken(read.why);
  return contentIn(read.value)?.folders ?? broken(reasons.text);
}

const reasons = {
  exposed: "another user owns it, or may write it",
  broken: "it is no file of ours",
  unknown: "it cannot be read now",
  text: "its content is not valid",
} as const;

type Content = { folders: readonly KeptName[] };

function contentIn(value: unknown): Content | undefined {
  const folders = readKept((value as { folders?: unknown } | null)?.folders);
  return folders === undefined ? undefined : { folders };
}

export function inferredFile({ path, clock, note }: InferredFileOptions): InferredFile {
  const file = jsonFile<Content>({
    ...{ path, clock, note, format: inferredFormat },
    check: contentIn,
  });
  return {
    read: () => readInferred(path, note),
    save: (folders) => file.save(() => ({ folders })),
    flush: () => file.flush(),
  };
}
