/** Batches from the daemon before -> its projects, checked, each with the descriptors of its services. */
import { closeSync } from "node:fs";
import * as v from "valibot";
import type { Supervised } from "../routes/supervised.ts";
import type { Given } from "./handed.ts";
import { handedProjects, type HandedFolder } from "./project/handed-project.ts";
import type { Shell } from "./project/unit.ts";
import type { HandedStreams } from "./service/handed-life.ts";

export type TakenFolder = {
  handed: HandedFolder;
  /** By service. */
  streams: ReadonlyMap<string, HandedStreams>;
};

export type Taken = {
  /** The daemon before. */
  pid: number;
  environments: readonly Shell[];
  folders: readonly TakenFolder[];
  snapshots: readonly Supervised[];
  /** The lock that says who supervises. */
  lock: number | undefined;
  /** The lines of older daemons, by their pids. */
  keepers: ReadonlyMap<number, number>;
  /** Closes every descriptor: nothing is taken over after all. */
  drop(): void;
};

const place = v.tuple([v.pipe(v.number(), v.integer(), v.minValue(0)), v.string(), v.string()]);
const streams = v.object({ places: v.array(place) });

/** @throws where it is not what we understand; the descriptors are closed. */
export async function takenFrom(batches: AsyncIterable<Given>): Promise<Taken> {
  const all: number[] = [];
  const drop = (): void => {
    for (const descriptor of all.splice(0)) closeSync(descriptor);
  };
  try {
    let projects: v.InferOutput<typeof handedProjects> | undefined;
    const byFolder = new Map<number, Map<string, Record<string, number>>>();
    const keepers = new Map<number, number>();
    let lock: number | undefined;
    for await (const { value, descriptors } of batches) {
      all.push(...descriptors);
      if (projects === undefined) {
        projects = parsed(handedProjects, value);
        continue;
      }
      const { places } = parsed(streams, value);
      if (places.length !== descriptors.length) throw new Error("a descriptor has no place");
      places.forEach(([folder, service, name], at) => {
        const descriptor = descriptors[at]!;
        if (service === "" && name === "lock") lock = descriptor;
        else if (service === "") keepers.set(folder, descriptor);
        else {
          const services = byFolder.get(folder) ?? new Map<string, Record<string, number>>();
          byFolder.set(folder, services);
          services.set(service, { ...services.get(service), [name]: descriptor });
        }
      });
    }
    if (projects === undefined) throw new Error("nothing has come");
    const folders = projects.folders.map((handed, at) => {
      const its = byFolder.get(at) ?? new Map<string, HandedStreams>();
      for (const { name, service } of handed.units) {
        const { life } = service?.lifecycle ?? {};
        if (life === undefined) continue;
        if (its.get(name)?.notify === undefined) throw new Error(`${name} has no descriptors`);
      }
      return { handed, streams: its };
    });
    return {
      pid: projects.pid,
      environments: projects.environments,
      folders,
      snapshots: projects.snapshots as unknown as Supervised[],
      lock,
      keepers,
      drop,
    };
  } catch (error) {
    drop();
    throw error;
  }
}

function parsed<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
  const read = v.safeParse(schema, value);
  if (read.success) return read.output;
  const [first] = read.issues;
  const at = v.getDotPath(first) ?? "";
  throw new Error(`the daemon before describes its services in another way (${at})`);
}
