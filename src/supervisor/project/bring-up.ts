/** A folder, and what is asked of it with `up` -> its project brought up, or why nothing was started. */
import { namesOf, servicesWithin } from "../../routes/named.ts";
import type { Clock } from "../../system/clock.ts";
import { profileMistakes } from "./asked-services.ts";
import type { Started } from "./boot.ts";
import type { Folder, Loaded } from "./folder.ts";
import type { Hear } from "./project.ts";
import type { Shell } from "./unit.ts";

export type Asked = {
  file: string | undefined;
  /** The project's name here; null: the one that its files say; undefined: as before. */
  name?: string | null | undefined;
  /** Undefined: all that is not lazy. */
  names: readonly string[] | undefined;
  /** True: tasks are run again, whether they are completed or not. */
  tasks?: boolean;
  profiles?: readonly string[] | undefined;
  shell: Shell;
  /** False where no shell is known, and `shell` is the one that the folder had before. */
  isShell: boolean;
  /** Set: services that run are started again. */
  restart: boolean;
  hear: Hear;
  /** Milliseconds for which a service is waited for that runs and has no deadline; by default a minute. */
  patience?: number | undefined;
};

/** `refused`: nothing was started; sentences say why. */
export type Brought = Started | { kind: "refused"; reasons: readonly string[] };

export type BringUpOptions = {
  clock: Clock;
  /** The folder has this project. */
  onProject(name: string): void;
  note(text: string): void;
};

/** Milliseconds after which a wait is told of. */
const tellAfter = 2000;

/** Awaits something, and says what it is where that takes a while. */
export async function tellingWaits<T>(
  promise: Promise<T>,
  { clock, hear, message }: { clock: Clock; hear: Hear; message: string },
): Promise<T> {
  const cancel = clock.after(tellAfter, () =>
    hear({ type: "StepProgress", data: { id: "config", message } }),
  );
  try {
    return await promise;
  } finally {
    cancel();
  }
}

export async function bringUp(
  folder: Folder,
  options: BringUpOptions & { asked: Asked },
): Promise<Brought> {
  try {
    return await broughtUp(folder, options);
  } finally {
    folder.coming = undefined;
  }
}

async function broughtUp(
  folder: Folder,
  { asked, clock, onProject, note }: BringUpOptions & { asked: Asked },
): Promise<Brought> {
  const {
    file,
    name: called,
    names,
    tasks = false,
    profiles = [],
    shell,
    isShell,
    restart,
    hear,
    patience,
  } = asked;
  const refuse = (reasons: readonly string[]): Brought => {
    const Err = reasons.join("\n");
    hear({ type: "StepFinished", data: { id: "config", result: { Err } } });
    return { kind: "refused", reasons };
  };
  hear({ type: "StepStarted", data: { id: "config", description: "Loading configuration" } });
  folder.forgetKept();
  const isNew = folder.project === undefined;
  const wasSeen = folder.seen !== undefined;
  const begun = Promise.withResolvers<void>();
  const loading: Promise<Loaded> = folder.inTurn(async () => {
    begun.resolve();
    const loaded = await folder.load({ shell, up: { names }, file, name: called });
    if (loaded.kind === "project" && isShell) folder.shell = shell;
    return loaded;
  });
  const message = "waits for an earlier change of this project to be done";
  await tellingWaits(begun.promise, { clock, hear, message });
  const found = await loading;
  if (found.kind === "refused") return refuse(found.reasons);
  const { project, takes, notes } = found;
  const { name } = project.spec;
  const own: string[] = [];
  const wrong: string[] = [];
  for (const word of names ?? []) {
    const within = servicesWithin(word, project.spec);
    if (within.kind === "services") own.push(...within.names);
    else {
      const hint = within.hint || `; there are ${namesOf(project.spec.services).join(", ")}`;
      wrong.push(`${name} has no service ${JSON.stringify(word)}${hint}`);
    }
  }
  wrong.push(...profileMistakes(project.spec, profiles));
  if (wrong.length > 0) {
    if (isNew && !project.isActive) await folder.drop();
    // A refused `up` approves nothing.
    if (!wasSeen) folder.seen = undefined;
    return refuse(wrong);
  }
  if (takes.length > 0) {
    const message = `takes what is new: ${takes.join(", ")}`;
    hear({ type: "StepProgress", data: { id: "config", message } });
    note(`${name}: up ${message}`);
  }
  for (const message of notes) {
    hear({ type: "StepProgress", data: { id: "config", message } });
    note(`${name}: ${message}`);
  }
  for (const message of project.spec.warnings) {
    hear({ type: "StepProgress", data: { id: "config", message: `warning: ${message}` } });
  }
  hear({ type: "StepFinished", data: { id: "config", result: { Ok: null } } });
  onProject(name);
  const instead = isShell ? folder.standIn : undefined;
  const these = {
    ...{ names: names === undefined ? undefined : own, tasks, profiles },
    ...{ shell, instead, hear, patience },
  };
  return await (restart ? project.restart(these) : project.up(these));
}
