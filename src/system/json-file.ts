/** A value that changes often -> a private JSON file, written whole and soon; and back. A broken file is kept aside. */
import { rename } from "node:fs/promises";
import { unwritable } from "../text/unwritable.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { Cancel, Clock } from "./clock.ts";
import { readText } from "./read-text.ts";
import {
  formedText,
  inForm,
  keepOlder,
  longestState as longest,
  NewerForm,
  type StateFormat,
} from "./state-format.ts";

export type JsonFileOptions<T extends object> = {
  path: string;
  format: StateFormat;
  clock: Clock;
  /** Checks what the file holds. Returns undefined if it is not a valid value. */
  check(value: unknown): T | undefined;
  /** Receives a sentence for a person. */
  note(text: string): void;
};

export interface JsonFile<T extends object> {
  /**
   * Undefined if there is no file, or if it is broken: a broken file is renamed and reported. One that a newer version
   * has written is reported, and stays as it is: nothing is written to it. Never rejects.
   */
  read(): Promise<T | undefined>;
  /** `value` is called when the file is written: once for many changes. */
  save(value: () => T): void;
  /** Resolves when pending changes are written, or when writing has failed and was reported. */
  flush(): Promise<void>;
}

/** Milliseconds during which changes are collected into one write. */
const gathering = 20;

export function jsonFile<T extends object>(options: JsonFileOptions<T>): JsonFile<T> {
  const { path, format, clock, check, note } = options;
  let pending: (() => T) | undefined;
  let timer: Cancel | undefined;
  let writing: Promise<void> | undefined;
  let failing = false;
  /** An older form of the file is kept before the first write. */
  let isKept = false;

  async function write(): Promise<void> {
    timer?.();
    timer = undefined;
    while (pending !== undefined) {
      const value = pending();
      pending = undefined;
      try {
        if (!isKept) keepOlder({ path, format });
        isKept = true;
        await writeAtomically(path, formedText(value, format));
        failing = false;
      } catch (error) {
        // Every change tries again, but the failure is reported once.
        if (!failing) {
          note(error instanceof NewerForm ? error.message : unwritable(path, error as Error));
        }
        failing = true;
      }
    }
  }

  function begin(): Promise<void> {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function putAside(why: string): Promise<void> {
    const aside = `${path}.broken-${new Date(clock.wall()).toISOString().replace(/[:.]/g, "-")}`;
    try {
      await rename(path, aside);
      note(`${path} cannot be used (${why}); it is kept as ${aside}`);
    } catch (error) {
      note(
        `${path} cannot be used (${why}), and could not be renamed either: ${(error as Error).message}`,
      );
    }
  }

  return {
    async read() {
      const its = await readText(path, { longest });
      if (its.kind === "missing") return undefined;
      if (its.kind === "unreadable") {
        await putAside(its.why);
        return undefined;
      }
      let parsed: unknown;
      try {
        parsed = JSON.parse(its.text);
      } catch (error) {
        await putAside((error as Error).message);
        return undefined;
      }
      const formed = inForm(parsed, { path, format });
      if (formed.kind === "newer") {
        note(`${path} is not used: ${formed.why}; ${formed.fix}`);
        return undefined;
      }
      const value = check(formed.value);
      if (value === undefined) await putAside("its content is not valid");
      return value;
    },
    save(value) {
      pending = value;
      if (writing === undefined) timer ??= clock.after(gathering, () => void begin());
    },
    async flush() {
      await begin();
    },
  };
}
