/** The data of a database <-> the note in it of what was made there: its password's hash, database and extensions. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { array, object, safeParse, string } from "valibot";
import type { StorePlace } from "../../manifest/order.ts";
import { readPrivateFile } from "../../system/private-file.ts";
import { inForm, onlyVersioned as format, writeFormed } from "../../system/state-format.ts";

const schema = object({ password: string(), database: string(), extensions: array(string()) });

/** All that was made in the data. The password has 144 random bits: nobody finds it from its hash. */
export type Made = { password: string; database: string; extensions: string[] };

/** Bytes. */
const longest = 64 * 1024;

function noteIn(data: string): string {
  return join(data, "localhostess.json");
}

/**
 * Undefined where there is none, or one that is not ours: then all of it is made, which is harmless twice.
 * @throws with a sentence where a newer version of this program has written it.
 */
export function readMade(data: string): Made | undefined {
  const read = readPrivateFile(noteIn(data), { limit: longest, forbidden: 0o077 });
  if (read.kind !== "text") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    // Cut off by a full disk, for example.
    return undefined;
  }
  const formed = inForm(value, { path: noteIn(data), format });
  if (formed.kind === "newer") throw new Error(`${noteIn(data)}: ${formed.why}`);
  const parsed = safeParse(schema, formed.value);
  return parsed.success ? parsed.output : undefined;
}

export async function writeMade(data: string, made: Made): Promise<void> {
  await writeFormed(made, { path: noteIn(data), format });
}

export function hashOf(password: string): string {
  return new Bun.CryptoHasher("sha256").update(password).digest("hex");
}

/** Put beside data that was copied: its password may be another place's. */
function marker({ folder }: StorePlace): string {
  return join(folder, "password-to-set");
}

export function hasPassword(place: StorePlace, made: Made | undefined, password: string): boolean {
  return made?.password === hashOf(password) && !existsSync(marker(place));
}

export function passwordIsSet(place: StorePlace): void {
  rmSync(marker(place), { force: true });
}
