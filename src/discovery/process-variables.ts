/** A process in procfs -> NAME and PORT that it was started with, also once its title is written over them. */
import { ownEnvironment } from "../system/own-environment.ts";
import type { ProcStat } from "../system/proc-stat.ts";
import type { ObservedProcess } from "./observation.ts";
import { readEnvironment, type Variables, variableNames } from "./read-environment.ts";

/** The variables that it was started with. */
export type Started = Pick<ObservedProcess, "name" | "variable" | "wantedPort">;

/** A value, and the program of the process that it is of: after an exec, there is another. */
type OfImage<Value> = Value & { image: string | undefined };

/** Remembered of a process for as long as it runs. */
export type Remembered = {
  /** The variables that were last read while they could be. */
  seen?: OfImage<Started>;
  /** The answer to the question which variables a program with a title still has. */
  own?: OfImage<{ has: Started | undefined }>;
};

/** The process, as far as its variables are concerned. */
export type Subject = Pick<ProcStat, "argumentOctets"> & {
  pid: number;
  /** Undefined: not known yet. */
  image: string | undefined;
  remembered: Remembered;
};

export type FoundVariables = Started & Pick<ObservedProcess, "overwritten" | "unreadable">;

/** Its files in procfs; undefined: not readable for us, or not asked for. */
export type Files = {
  root: string;
  environment: Buffer | undefined;
  line?: Buffer | undefined;
  /** The process is ours: another user's memory is not read, as a mapped file of theirs could keep us waiting. */
  own: boolean;
};

/** The environment is filled with zeros. */
export function variablesOf(subject: Subject, files: Files): FoundVariables {
  const { remembered, image } = subject;
  const read = readNow(subject, files);
  if (read === undefined)
    return { name: undefined, ...startedIn(remembered.seen), unreadable: true };
  const { overwritten, ...found } = read;
  if (!overwritten) {
    remembered.seen = { ...found, image };
    return found;
  }
  if (found.name !== undefined) return { ...found, overwritten };
  const seen = startedIn(remembered.seen);
  if (image !== undefined && remembered.seen?.image === image)
    return { ...found, ...seen, overwritten };
  const own = files.own ? ownOf(subject, files.root) : undefined;
  return { ...found, ...(own ?? seen), overwritten };
}

/** Remembers its variables while they can be read. */
export function remember(subject: Subject, files: Files): void {
  const read = readNow(subject, files);
  if (read === undefined || read.overwritten) return;
  const { overwritten: _, ...found } = read;
  subject.remembered.seen = { ...found, image: subject.image };
}

function startedIn(seen: OfImage<Started> | undefined): Started | undefined {
  if (seen === undefined) return undefined;
  const { image: _, ...started } = seen;
  return started;
}

/** Undefined if its environment is empty, or cannot be read. */
function readNow(
  { argumentOctets }: Subject,
  { environment, line }: Files,
): (Started & { overwritten: boolean }) | undefined {
  if (environment === undefined || environment.length === 0) return undefined;
  // Where the last octet of the arguments is not zero, the kernel shows a title that goes on in the environment.
  const isKnown = line !== undefined && argumentOctets !== undefined;
  const read = readEnvironment(environment, { titled: isKnown && line.length > argumentOctets });
  // The rest of the environment is none of our business, not even in a heap dump.
  environment.fill(0);
  return { ...startedBy(read), overwritten: read.overwritten };
}

function startedBy({ name, variable, wantedPort }: Variables): Started {
  return { name, ...(variable === undefined ? {} : { variable }), wantedPort };
}

/** Asked once for each program: it has moved its variables before it wrote over them. */
function ownOf(subject: Subject, root: string): Started | undefined {
  const { pid, image, remembered } = subject;
  if (remembered.own === undefined || remembered.own.image !== image) {
    const environment = ownEnvironment(pid, { root, names: variableNames });
    const read = environment && startedBy(readEnvironment(environment));
    remembered.own = { image, has: read?.name === undefined ? undefined : read };
  }
  return remembered.own.has;
}
