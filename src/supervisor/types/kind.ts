/** Kinds of managed services: shapes only. */
import type { ServiceSpec } from "../../manifest/project.ts";
import type { StorePlace } from "../../manifest/order.ts";
import type { BuildPlaces } from "../../stores/build-places.ts";
import type { StorePlaces } from "../../stores/store-places.ts";

/** The service that a kind is asked about: a service, with references filled or not. */
export type KindFacts = {
  /** `shop:db`. */
  id: string;
  /** `shop`. */
  project: string;
  /** Absolute: the project's folder. */
  directory: string;
  /** Its port on 127.0.0.1, claimed or about to be; undefined: it has none. */
  port: number | undefined;
  /** One of its `furtherPorts`, in the same way. */
  portOf(suffix: string): number | undefined;
  /** Its address through the proxy; undefined: it has none. */
  url: string | undefined;
  machine: KindMachine;
};

/** The parts of this machine that kinds need. Synchronous and quick: references are filled with it, again and again. */
export type KindMachine = {
  /** The words that run this program itself, followed by these. */
  ownProgram(words: readonly string[]): readonly string[];
  /** The place of a store's data, made when it is asked for first. `version`: `17`. @throws with a sentence. */
  placeOf(store: {
    project: string;
    directory: string;
    service: string;
    type: string;
    version: string | undefined;
  }): StorePlace;
  /** The password of that place, made with it. @throws with a sentence. */
  passwordOf(place: StorePlace): string;
  places: StorePlaces;
  builds: BuildPlaces;
  /** Absolute: what is fetched for all projects. */
  cache: string;
  /** Names this daemon's state directory among others. */
  owner: string;
  engines: readonly string[] | undefined;
  /** Absolute: the folder that notes which engines may have containers of ours. */
  engineNotes: string;
  /** Removes what is left of the containers of a service. Resolves with a warning where some cannot be. */
  removeContainers(of: { directory: string; service: string }): Promise<string | undefined>;
  /** The same for all services, but for runs that go on; these are asked for once it is known what is there. */
  removeOthers(goesOn: () => ReadonlySet<string>): Promise<string | undefined>;
  /** Images and caches of what was built in containers for a project's folder. */
  removeBuilt(of: { directory: string }): Promise<void>;
};

/** The values that a service gives to those that depend on it, or refer to it. */
export type Gift = {
  /** `${services.db.<field>}`. */
  fields: Readonly<Record<string, string>>;
  /** Variables of dependents, such as DATABASE_URL: what a file declares beats them. */
  variables: Readonly<Record<string, string>>;
};

/** How a kind of service starts, is ready, is ended, and what it gives to others. */
export interface Kind {
  /** Uses of ports besides its own: `smtp`. Each is as lasting as that one. */
  furtherPorts?(spec: ServiceSpec): readonly string[];
  /** The spec that its process is started from: program, signal and check where the file leaves them open. */
  launched(spec: ServiceSpec, facts: KindFacts): ServiceSpec;
  gives(spec: ServiceSpec, facts: KindFacts): Gift;
  /**
   * Ends what a process that did not end by itself has left outside of its family. Resolves with a warning where that
   * cannot be done. Undefined: there is nothing of the kind.
   */
  tidy?(spec: ServiceSpec, facts: KindFacts): Promise<string | undefined>;
}

export const nothing: Gift = { fields: {}, variables: {} };
