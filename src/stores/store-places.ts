/** The folder of all stores, and a store of a project -> the folder of its data, and its password. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { StorePlace } from "../manifest/order.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { makePrivateText } from "../system/private-text.ts";
import { exchange, mendPlace, placesIn, sweepBeside } from "./exchange.ts";
import { makeFolder } from "./folders.ts";
import { foldersIn, isFolderOf, type Owner, Owners } from "./owners.ts";

export type Stored = {
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
  type: string;
  version: string | undefined;
};

/** A store that has data, whether anybody has a use for it or not. */
export type Kept = Omit<Stored, "type" | "version"> & {
  /** `postgres-17`. */
  store: string;
  worktree: boolean;
  /** When its project was forgotten; undefined: it was not. Milliseconds since the Unix epoch. */
  left: number | undefined;
  place: StorePlace;
};

/** Bytes of a password: 24 characters of base64url. */
const passwordBytes = 18;

export class StorePlaces {
  readonly #folder: string;
  readonly #owners: Owners;
  readonly #made = new Map<string, StorePlace>();
  readonly #passwords = new Map<string, string>();

  /** `folder`: of `storesFolder`. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#owners = new Owners(folder);
  }

  /** Made where there is none yet. @throws with a sentence. */
  of({ type, version, service, ...owner }: Stored): StorePlace {
    const store = version === undefined ? type : `${type}-${version}`;
    const folder = join(this.#owners.of(owner).folder, service, store);
    const known = this.#made.get(folder);
    if (known !== undefined) {
      if (existsSync(known.password)) return known;
      // Somebody has removed it by hand, with its data or without.
      this.#passwords.delete(known.password);
    }
    mendPlace(folder);
    makeFolder(folder);
    const place = placeIn(folder);
    // Its program reads it, whether anybody else has asked for it or not.
    this.passwordOf(place);
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

  /** Stores that have data, of all projects: also those that nobody has asked for since the daemon began. */
  kept(): Kept[] {
    return this.#owners.all().flatMap((owner) => {
      const { directory, project, worktree = false, left } = owner;
      return foldersIn(owner.folder).flatMap(({ name: service }) =>
        placesIn(join(owner.folder, service)).flatMap((store) => {
          const folder = join(owner.folder, service, store);
          mendPlace(folder);
          if (!hasData(folder)) return [];
          const place = placeIn(folder);
          return [{ directory, project, service, store, worktree, left, place }];
        }),
      );
    });
  }

  /**
   * Whatever is in the folder `made` is at the place from now on, in one step. Its store must not run. `removed`
   * resolves when the former data is.
   */
  put(place: StorePlace, made: string): { removed: Promise<void> } {
    const old = exchange(place.folder, made);
    this.#passwords.delete(place.password);
    return {
      removed: old === undefined ? Promise.resolve() : rm(old, { recursive: true, force: true }),
    };
  }

  /** Its folder is at another path. */
  moved(from: string, to: string): void {
    this.#owners.moved(from, to);
  }

  /** The project of that folder was forgotten: its data is listed as left over. */
  leave(directory: string, { time, worktree }: { time: number; worktree: boolean }): void {
    this.#owners.leave(directory, { time, worktree });
  }

  /** Removes data of that folder that is left over: its project was forgotten, or the folder is gone. */
  async remove(directory: string): Promise<void> {
    const isGone = !existsSync(directory);
    for (const owner of this.#owners.at(directory)) {
      if (isGone || owner.left !== undefined) await this.#remove(owner);
    }
  }

  /**
   * Removes what exchanges of daemons that are gone have left, and the data of worktrees that were forgotten before
   * `before`. Never rejects.
   */
  async sweep({
    before,
    isAlive,
    note,
  }: {
    before: number;
    isAlive(pid: number): boolean;
    note(text: string): void;
  }): Promise<void> {
    try {
      for (const path of this.#owners.abandoned(isAlive)) {
        await rm(path, { recursive: true, force: true });
      }
      for (const owner of [...this.#owners.all()]) {
        const isOld = owner.left !== undefined && owner.left < before;
        // One that was only forgotten is there, and may be up again.
        if (owner.worktree && isOld && !isFolderOf(owner)) {
          note(`the data of ${owner.project}, a worktree that was deleted, is removed`);
          await this.#remove(owner);
          continue;
        }
        for (const { name: service } of foldersIn(owner.folder)) {
          const folder = join(owner.folder, service);
          for (const store of placesIn(folder)) {
            await sweepBeside(join(folder, store), { isAlive, note });
          }
        }
      }
    } catch (error) {
      note(`what stores have left in ${this.#folder} cannot be removed: ${String(error)}`);
    }
  }

  async #remove(owner: Owner): Promise<void> {
    const taken = this.#owners.takeAway(owner);
    for (const [folder, { password }] of this.#made) {
      if (!folder.startsWith(`${owner.folder}/`)) continue;
      this.#made.delete(folder);
      this.#passwords.delete(password);
    }
    await rm(taken, { recursive: true, force: true });
  }
}

function placeIn(folder: string): StorePlace {
  return {
    folder,
    data: join(folder, "data"),
    sockets: join(folder, "s"),
    password: join(folder, "password"),
  };
}

/** True for one whose server has written something. */
function hasData(folder: string): boolean {
  return existsSync(join(folder, "data"));
}

/** @throws with a sentence. */
function passwordIn(path: string): string {
  const read = readPrivateFile(path, { limit: 1000, forbidden: 0o077 });
  if (read.kind === "text" && read.text.trim() !== "") return read.text.trim();
  if (read.kind !== "absent") {
    const why = read.kind === "text" ? "empty" : read.kind;
    throw new Error(`${path} is no password file of ours (${why}); remove it, and start it again`);
  }
  const made = Buffer.from(crypto.getRandomValues(new Uint8Array(passwordBytes))).toString(
    "base64url",
  );
  // Another daemon may have made it meanwhile: then the one that stands there counts.
  return makePrivateText(path, `${made}\n`) === "made" ? made : passwordIn(path);
}
