/** The environments of the shells that ran `up` -> what a daemon hands to the next one, from memory to memory. Pure. */
import * as v from "valibot";
import type { Shell } from "./unit.ts";

/** The shells that brought a folder's services up, as far as a daemon knows them. */
export type FolderShells = {
  /** Undefined: no shell is known. */
  shell: Shell | undefined;
  /** A shell was known to a daemon before, and none has handed it over. */
  lost: boolean;
  /** Services that another shell brought up. */
  services: ReadonlyMap<string, Shell>;
};

/** By folder. */
export type Shells = ReadonlyMap<string, FolderShells>;

/** Characters of JSON. Shells that are one are handed over once, and an environment rarely has 100 KB. */
const longest = 8 * 1024 * 1024;

const index = v.pipe(v.number(), v.integer(), v.minValue(0));

const handover = v.object({
  environments: v.array(v.record(v.string(), v.string())),
  folders: v.array(
    v.object({
      directory: v.pipe(v.string(), v.startsWith("/")),
      shell: v.nullable(index),
      lost: v.boolean(),
      /** Pairs, as a service may be named like an object's own property. */
      services: v.array(v.tuple([v.string(), index])),
    }),
  ),
});

export type Handover = v.InferOutput<typeof handover>;

/** Folders for which there is no more room are left out: their services say that their shell is lost. */
export function handoverOf(shells: Shells): Handover {
  const environments: Handover["environments"] = [];
  const known = new Map<Shell, number>();
  const folders: Handover["folders"] = [];
  let length = 0;
  const place = (shell: Shell): number => {
    const at = known.get(shell);
    if (at !== undefined) return at;
    const environment = Object.fromEntries(
      Object.entries(shell).filter((its): its is [string, string] => its[1] !== undefined),
    );
    length += JSON.stringify(environment).length;
    known.set(shell, environments.length);
    return environments.push(environment) - 1;
  };
  for (const [directory, its] of shells) {
    const before = { count: environments.length, length };
    const shell = its.shell === undefined ? null : place(its.shell);
    const services = [...its.services].map(([name, own]): [string, number] => [name, place(own)]);
    if (length > longest) {
      for (const [its, at] of known) if (at >= before.count) known.delete(its);
      environments.length = before.count;
      length = before.length;
      continue;
    }
    folders.push({ directory, shell, lost: its.lost, services });
  }
  return { environments, folders };
}

/** No shells, where the value is none of ours: an older daemon may know of no handover. */
export function shellsIn(value: unknown): Shells {
  const read = v.safeParse(handover, value);
  if (!read.success) return new Map();
  const { environments, folders } = read.output;
  return new Map(
    folders.map(({ directory, shell, lost, services }) => [
      directory,
      {
        shell: shell === null ? undefined : environments[shell],
        lost,
        services: new Map(
          services.flatMap(([name, at]) => {
            const own = environments[at];
            return own === undefined ? [] : [[name, own] as const];
          }),
        ),
      },
    ]),
  );
}
