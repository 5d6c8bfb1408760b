/** The folder of all builds, and a service of a project -> the folder in which its builds are kept. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { Owners } from "./owners.ts";

export type BuiltService = {
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  service: string;
};

/** The name of that folder in the state directory. */
export const buildsName = "builds";

export class BuildPlaces {
  readonly #owners: Owners;

  constructor(stateDirectory: string) {
    this.#owners = new Owners(join(stateDirectory, buildsName));
  }

  /** Absolute, 0700; made where there is none yet. @throws with a sentence. */
  of({ service, ...owner }: BuiltService): string {
    const place = join(this.#owners.of(owner).folder, service);
    makeFolder(place);
    // Nobody else's server runs from here, as those of stores do where we are root.
    chmodSync(place, 0o700);
    return place;
  }
}
