/** The folder of all builds, and a service of a project -> the folder in which its builds are kept. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../system/remove-tree.ts";
import { makeFolder } from "./folders.ts";
import { Owners } from "./owners.ts";

export type BuiltService = {
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
};

/** The name of that folder in the state directory. */
const buildsName = "builds";

/** The state directory that a service's place is in. Pure. */
export function stateOfPlace(place: string): string {
  return join(place, "../../..");
}

/** Builds are made again from their project: they go with it, where the data of a store stays. */
export class BuildPlaces {
  readonly #folder: string;
  readonly #owners: Owners;

  constructor(stateDirectory: string) {
    this.#folder = join(stateDirectory, buildsName);
    this.#owners = new Owners(this.#folder);
  }

  /** Absolute, 0700; made where there is none yet. @throws with a sentence. */
  of({ service, ...owner }: BuiltService): string {
    const place = join(this.#owners.of(owner).folder, service);
    makeFolder(place);
    // Where we are root, the folders of stores let servers of other users through, which nothing here needs.
    chmodSync(place, 0o700);
    return place;
  }

  /** Its folder is at another path. */
  moved(from: string, to: string): void {
    this.#owners.moved(from, to);
  }

  /** Removes all builds of that folder: its project was forgotten. */
  async remove(directory: string): Promise<void> {
    for (const owner of this.#owners.at(directory)) {
      await removeTree(this.#owners.takeAway(owner));
    }
  }

  /** Removes what daemons that are gone were making, or removing. Never rejects. */
  async sweep({ isAlive, note }: { isAlive(pid: number): boolean; note(text: string): void }) {
    try {
      for (const path of this.#owners.abandoned(isAlive)) {
        await removeTree(path);
      }
    } catch (error) {
      note(`what builds have left in ${this.#folder} cannot be removed: ${String(error)}`);
    }
  }
}
