/** config.toml, whenever it is asked -> what it says of names and of other machines now; with errors, what it said. */
import { namesIn, type ReadConfig, readConfig, remotesIn } from "../manifest/config.ts";
import type { ConfiguredNames } from "../manifest/name-settings.ts";
import { fileFingerprint } from "../system/file-fingerprint.ts";
import { readTextSync } from "../system/read-text.ts";

export interface NamesFile {
  /** The same object until the file says something else. One call costs one stat(). */
  now(): ConfiguredNames;
  /** Other machines: name -> host. In the same way. */
  remotes(): ReadonlyMap<string, string>;
}

const nothing: ConfiguredNames = { all: {}, byName: new Map() };

/** Bytes; far more than a person writes. */
const longest = 1024 * 1024;

/** `note` gets each error once, because nobody waits for an answer. */
export function configuredNames(file: string | undefined, note: (text: string) => void): NamesFile {
  let known = nothing;
  let remotes: ReadonlyMap<string, string> = new Map();
  let version = "";
  function reread(): void {
    if (file === undefined) return;
    const seen = fileFingerprint(file);
    if (seen === version) return;
    version = seen;
    const read = contents(file);
    if (read.kind !== "config") {
      for (const text of read.mistakes) note(`${text}; names keep the settings that they had`);
      return;
    }
    const names = namesIn(read.config);
    if (!Bun.deepEquals(names, known)) known = names;
    const machines = remotesIn(read.config);
    if (!Bun.deepEquals(machines, remotes)) remotes = machines;
  }
  return {
    now() {
      reread();
      return known;
    },
    remotes() {
      reread();
      return remotes;
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
