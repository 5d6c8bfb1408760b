/** The place of a service's builds -> contents of files that were read before; and back. */
import { join } from "node:path";
import { readText } from "../../system/read-text.ts";
import { formedText, inForm, onlyVersioned } from "../../system/state-format.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { SeenContents } from "./app-files.ts";

/** Bytes: about 150 for each file. */
const longest = 256 * 1024 * 1024;

const format = onlyVersioned;

function pathOf(place: string): string {
  return join(place, "seen.json");
}

/** Empty where there is none that can be used: each file is read again then. */
export async function readSeen(place: string): Promise<SeenContents> {
  const path = pathOf(place);
  const read = await readText(path, { longest });
  if (read.kind !== "text") return new SeenContents([]);
  try {
    const formed = inForm(JSON.parse(read.text), { path, format });
    if (formed.kind === "newer") return new SeenContents([]);
    const { files } = formed.value as { files?: Record<string, string> };
    return new SeenContents(Object.entries(files ?? {}));
  } catch {
    // A broken one costs the time of reading every file, and nothing else.
    return new SeenContents([]);
  }
}

/** Where nothing has changed, nothing is written. */
export async function writeSeen(place: string, seen: SeenContents): Promise<void> {
  if (!seen.isChanged) return;
  const text = formedText({ files: Object.fromEntries(seen.entries) }, format);
  await writeAtomically(pathOf(place), text).catch(() => {
    // On a full disk: files are read again by the next build, as where this one is broken.
  });
}
