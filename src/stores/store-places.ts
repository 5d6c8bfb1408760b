/** A state directory, and a store of a project -> the folder of its data, and its password. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StorePlace } from "../manifest/order.ts";
import { readPrivateFile } from "../system/private-file.ts";

export type Stored = {
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
  type: string;
  version: string | undefined;
};

/** Bytes of a password: 24 characters of base64url. */
const passwordBytes = 18;

export class StorePlaces {
  readonly #folder: string;
  readonly #made = new Map<string, StorePlace>();
  readonly #passwords = new Map<string, string>();

  constructor(stateDirectory: string) {
    this.#folder = join(stateDirectory, "stores");
  }

  /** Made where there is none yet. @throws with a sentence. */
  of({ project, directory, service, type, version }: Stored): StorePlace {
    const hash = new Bun.CryptoHasher("sha256").update(directory).digest("hex").slice(0, 8);
    const folder = join(
      this.#folder,
      `${project}-${hash}`,
      service,
      version === undefined ? type : `${type}-${version}`,
    );
    const known = this.#made.get(folder);
    if (known !== undefined) return known;
    const place = {
      folder,
      data: join(folder, "data"),
      sockets: join(folder, "s"),
      password: join(folder, "password"),
    };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#made.set(folder, place);
    return place;
  }

  passwordOf({ password }: StorePlace): string {
    const known = this.#passwords.get(password);
    if (known !== undefined) return known;
    const text = passwordIn(password);
    this.#passwords.set(password, text);
    return text;
  }
}

/** @throws with a sentence. */
function passwordIn(path: string): string {
  const read = readPrivateFile(path, { limit: 1000, forbidden: 0o077 });
  if (read.kind === "text") return read.text.trim();
  if (read.kind !== "absent") throw new Error(`${path} is no password file of ours; remove it`);
  const made = Buffer.from(crypto.getRandomValues(new Uint8Array(passwordBytes))).toString(
    "base64url",
  );
  writeFileSync(path, `${made}\n`, { mode: 0o600, flag: "wx" });
  return made;
}
