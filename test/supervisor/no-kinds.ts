import { BuildPlaces } from "../../src/stores/build-places.ts";
import { StorePlaces } from "../../src/stores/store-places.ts";
import type { KindMachine } from "../../src/supervisor/types/kind.ts";

/** A machine on which nothing managed is asked for. */
export const noKinds: KindMachine = {
  ownProgram: (words) => words,
  placeOf() {
    throw new Error("there are no places for stores here");
  },
  passwordOf: () => "",
  // Nothing is built: a path is all that is asked for.
  builds: Object.assign(new BuildPlaces("/dev/null"), { of: () => "/nowhere/build" }),
  places: new StorePlaces("/dev/null"),
  cache: "/nowhere",
  owner: "nobody",
  engines: undefined,
  engineNotes: "/nowhere",
  removeContainers: () => Promise.resolve(undefined),
  removeOthers: () => Promise.resolve(undefined),
  removeBuilt: () => Promise.resolve(),
};
