/** A private file -> the names that folders have and the folders that get none, and back. A broken file is empty. */
import type { Clock } from "../system/clock.ts";
import { jsonFile } from "../system/json-file.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { type KeptName, readKept } from "./kept-names.ts";

export type InferredState = {
  names: readonly KeptName[];
  /** Folders of projects whose servers get no name, as a person has said. */
  forgotten: readonly string[];
};

export interface InferredFile {
  read(): InferredState;
  /** Written soon. Nothing is written where the file is only read. */
  save(state: InferredState): void;
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
/** Folders; far more than a person names. */
const mostForgotten = 1000;

const nothing: InferredState = { names: [], forgotten: [] };

export function inferredPath(stateDirectory: string): string {
  return `${stateDirectory}/folder-names.json`;
}

/** The file as it is now. Never throws, never waits; `note` says why a file is not used. */
export function readInferred(path: string, note: (text: string) => void): InferredState {
  // Others may read it, and nobody else may have written it.
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return nothing;
  const why = {
    exposed: "another user owns it, or may write it",
    broken: "it is no file of ours",
    unknown: "it cannot be read now",
    text: "its content is not valid",
  }[its.kind];
  const state = its.kind === "text" ? stateIn(its.text) : undefined;
  if (state !== undefined) return state;
  note(`${path} cannot be used (${why}); folders get their names anew`);
  return nothing;
}

export function inferredFile({ path, clock, note }: InferredFileOptions): InferredFile {
  const file = jsonFile<InferredState>({ path, clock, note, check: stateOf });
  return {
    read: () => readInferred(path, note),
    save: (state) => file.save(() => state),
    flush: () => file.flush(),
  };
}

function stateIn(text: string): InferredState | undefined {
  try {
    return stateOf(JSON.parse(text));
  } catch {
    // Torn: the caller says so.
    return undefined;
  }
}

function stateOf(value: unknown): InferredState | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { names, forgotten } = value as Record<string, unknown>;
  const kept = readKept(names);
  const isList = Array.isArray(forgotten) && forgotten.length <= mostForgotten;
  if (kept === undefined || !isList) return undefined;
  const isFolder = (its: unknown) => typeof its === "string" && its.startsWith("/");
  return forgotten.every(isFolder) ? { names: kept, forgotten } : undefined;
}
