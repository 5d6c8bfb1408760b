/** config.toml, whenever it is asked -> what it says of names now; a file with errors says what it said before. */
import { namesIn, type ReadConfig, readConfig } from "../manifest/config.ts";
import type { ConfiguredNames } from "../manifest/name-settings.ts";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { readTextSync } from "../system/read-text.ts";

export interface NamesFile {
  /** The same object until the file says something else. One call costs one stat(). */
  now(): ConfiguredNames;
}

const nothing: ConfiguredNames = { all: {}, byName: new Map() };

/** Bytes; far more than a person writes. */
const longest = 1024 * 1024;

/** `note` gets each error once, because nobody waits for an answer. */
export function configuredNames(file: string | undefined, note: (text: string) => void): NamesFile {
  let known = nothing;
  let version = "";
  return {
    now() {
      if (file === undefined) return known;
      const seen = fileFingerprint(file);
      if (seen === version) return known;
      version = seen;
      const read = contents(file);
      if (read.kind === "config") {
        const its = namesIn(read.config);
        if (!Bun.deepEquals(its, known)) known = its;
      } else {
        for (const text of read.mistakes) note(`${text}; names keep the settings that they had`);
      }
      return known;
    },
  };
}

function contents(file: string): ReadConfig {
  const its = readTextSync(file, { longest });
  if (its.kind === "unreadable") {
    return { kind: "mistakes", mistakes: [`${file} cannot be read: ${its.why}`] };
  }
  return readConfig(its.kind === "text" ? its.text : "", file);
}
