/** This machine's folders and program -> what managed services need of it. */
import { homedir } from "node:os";
import { join } from "node:path";
import { ownProgram } from "../../system/own-bun.ts";
import { storesFolder } from "../../stores/folders.ts";
import { leftContainers } from "../../containers/runs/left-containers.ts";
import { engineNotesIn, ownerOf } from "../../containers/runs/owner.ts";
import { systemClock } from "../../system/clock.ts";
import { BuildPlaces } from "../../stores/build-places.ts";
import { StorePlaces } from "../../stores/store-places.ts";
import type { KindMachine } from "./kind.ts";

export type KindMachineOptions = {
  stateDirectory: string;
  env: Readonly<Record<string, string | undefined>>;
  engines: readonly string[] | undefined;
};

export function kindMachine({ stateDirectory, env, engines }: KindMachineOptions): KindMachine {
  const places = new StorePlaces(
    storesFolder(stateDirectory, {
      ...{ env, platform: process.platform, uid: process.geteuid?.() ?? 0 },
    }),
  );
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), ".cache");
  const owner = ownerOf(stateDirectory);
  const engineNotes = engineNotesIn(stateDirectory);
  const left = leftContainers({ notes: engineNotes, owner, clock: systemClock });
  return {
    ...left,
    engineNotes,
    ownProgram,
    placeOf: (store) => places.of(store),
    places,
    builds: new BuildPlaces(stateDirectory),
    passwordOf: (place) => places.passwordOf(place),
    cache: join(cache, "localhostess"),
    owner,
    engines,
  };
}
