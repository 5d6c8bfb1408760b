/** The path of `names.json` -> the names in it, read when it changes, and written whole by one process at a time. */
import { join } from "node:path";
import type { Claim } from "../routes/claim.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { changeAlone, followedFile } from "../system/shared-file.ts";
import { writeFormed } from "../system/state-format.ts";
import { pastedWord } from "../text/shell-words.ts";
import { unwritable } from "../text/unwritable.ts";
import {
  claimOf,
  type GivenName,
  namesForm,
  namesFormat,
  namesIn,
  type ReadNames,
} from "./given-names.ts";

/** Bytes; a thousand names take less than half of it. */
const longest = 512 * 1024;

export function namesPath(stateDirectory: string): string {
  return join(stateDirectory, "names.json");
}

/** Parts of `why` for a broken file. `isPassing`: the system is short of something, and the file may be sound. */
type Broken = { what?: string; fix?: string; isPassing?: boolean };

/** No file: no names. `why` says which file is broken, and what helps. */
export function readNames(path: string): ReadNames & Broken {
  const its = readPrivateFile(path, { limit: longest, forbidden: 0o022 });
  if (its.kind === "absent") return { kind: "names", names: [] };
  const read: ReadNames =
    its.kind === "text" ? namesIn(its.text, path) : { kind: "broken", why: reasons[its.kind] };
  if (read.kind === "names") return read;
  const fix =
    its.kind === "exposed"
      ? `chmod 600 ${pastedWord(path)}`
      : (read.fix ??
        `correct it, or begin anew: mv ${pastedWord(path)} ${pastedWord(`${path}.old`)}`);
  const what = `${path} cannot be used: ${read.why}`;
  const why = `${what}; nothing in it was changed; ${fix}`;
  return { kind: "broken", why, what, fix, isPassing: its.kind === "unknown" };
}

const reasons = {
  exposed: "another user owns it, or may write it",
  broken: `it is not a regular file, or larger than ${longest / 1024} KiB`,
  unknown: "the system cannot read it now",
} as const;

export type Changed =
  | { kind: "changed"; before: readonly GivenName[]; after: readonly GivenName[] }
  | { kind: "failed"; why: string };

/** A file that is broken is left as it is. The folder must exist. `change` returns all names that are to be in it. */
export async function changeNames(
  path: string,
  change: (before: readonly GivenName[]) => readonly GivenName[],
  { patience }: { patience?: number } = {},
): Promise<Changed> {
  try {
    const done = await changeAlone({ path, patience }, async (): Promise<Changed> => {
      const read = readNames(path);
      if (read.kind === "broken") return { kind: "failed", why: read.why };
      const after = change(read.names);
      if (after !== read.names) {
        await writeFormed(namesForm(after), { path, format: namesFormat });
      }
      return { kind: "changed", before: read.names, after };
    });
    if (done.kind === "changed") return done.result;
    return { kind: "failed", why: `another localhostess is changing ${path}; try again` };
  } catch (error) {
    return { kind: "failed", why: unwritable(path, error as NodeJS.ErrnoException) };
  }
}

export interface GivenClaims {
  /** The same list until the file says something else. One call costs one stat(). */
  now(): readonly Claim[];
}

/** `note` gets the reason once for each version of the file that is broken; the names stay those of before. */
export function givenClaims(path: string, note: (text: string) => void): GivenClaims {
  return {
    now: followedFile<readonly Claim[]>({
      path,
      first: [],
      read() {
        const its = readNames(path);
        if (its.kind === "names") return { kind: "value", value: its.names.map(claimOf) };
        return { kind: "broken", why: its.why, isPassing: its.isPassing ?? false };
      },
      onBroken: (why) => note(`${why}; names stay those that it had`),
    }),
  };
}
