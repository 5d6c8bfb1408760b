/** The projects of this daemon -> batches for the next one; then a word for each end that only this process sees. */
import { closeSync } from "node:fs";
import type { Supervised } from "../routes/supervised.ts";
import type { Clock } from "../system/clock.ts";
import { duplicate, type OwnDescriptors } from "../system/own-descriptors.ts";
import { slices } from "../system/slices.ts";
import type { Ending } from "./family/ending.ts";
import type { Given, HandedPart, Line } from "./handed.ts";
import type { Folder } from "./project/folder.ts";
import { form, type HandedFolder } from "./project/handed-project.ts";
import type { Shell } from "./project/unit.ts";
import type { HandedStreams } from "./service/handed-life.ts";

export type HandingOptions = {
  clock: Clock;
  folders(): readonly Folder[];
  snapshots(): Supervised[];
  /** This process's descriptors now. @throws where the system does not tell. */
  descriptors(): OwnDescriptors;
  /** The descriptor of the lock that says who supervises; undefined: there is none. */
  lock(): number | undefined;
  /** Daemons before this one, by pid: their lines go on to the next one. */
  keepers(): ReadonlyMap<number, Line>;
  /** Pids that this process waits for. */
  own: ReadonlySet<number>;
  /** Resolves when this daemon supervises. */
  ready(): Promise<void>;
  /** All is written that the next daemon reads from files, and nothing is any more until `takeBack`. */
  onHalt(): Promise<void>;
  onTakeBack(): void;
  onGiven(line: Line): void;
  /** A process that we have started has ended: the other daemon is to know. */
  onEnded(pid: number, ending: Ending): void;
  /** The other daemon keeps all of it. */
  onSettled(): void;
  /** The other daemon has failed. The batches are those that it got, with descriptors that are the callee's. */
  onComeBack(batches: readonly Given[]): void;
  /** This process becomes one that only keeps its children. Returns where that cannot be. */
  keep(descriptor: number): void;
};

/** Milliseconds that stops, restarts and hooks under way get to be done. */
const patience = 10_000;
const period = 20;
/** Milliseconds between two looks at whether the processes that we keep still run. */
const keptPeriod = 1000;

/** Descriptors of one batch, and characters of its value, which has to fit into a packet with them. */
const mostDescriptors = 96;
const mostCharacters = 3000;

/** A descriptor's place: the number of its folder, the name of its service, and its own name. */
export type Place = [folder: number, service: string, stream: string];

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 5;

export class Handing implements HandedPart {
  readonly #options: HandingOptions;
  #batches: Given[] | undefined;
  #halted: Folder[] = [];
  #line: Line | undefined;
  /** All that the other has, while it may have to go on here. */
  #copies: readonly Given[] = [];
  /** Each lets the daemons before us be heard here again. */
  #hearers: (() => void)[] = [];
  /** Set once the other has everything. */
  isGiven = false;
  #answer: PromiseWithResolvers<void> | undefined;
  #isHalting = false;
  /** Taken back while it was being halted. */
  #isUnwanted = false;
  /** The other daemon is gone. */
  #isAlone = false;

  constructor(options: HandingOptions) {
    this.#options = options;
  }

  /** Resolves at once, or when it is known whether the other daemon has taken over. */
  get settled(): Promise<void> | undefined {
    return this.#answer?.promise;
  }

  async give(batch: number): Promise<Given | undefined> {
    if (this.#batches === undefined) {
      this.#answer ??= Promise.withResolvers();
      this.#isHalting = true;
      try {
        this.#batches = await this.#halt();
        if (this.#isUnwanted) throw new Error("the other daemon is gone");
      } catch (error) {
        this.#isHalting = false;
        this.takeBack();
        throw error;
      }
      this.#isHalting = false;
    }
    return this.#batches[batch];
  }

  takeBack(): void {
    if (this.isGiven) return;
    // A folder that is being halted goes on once it is.
    this.#isUnwanted = this.#isHalting;
    if (this.#isHalting) return;
    this.#batches = undefined;
    this.#options.onTakeBack();
    for (const folder of this.#halted.splice(0)) folder.goOn();
    this.#answer?.resolve();
    this.#answer = undefined;
  }

  given(line: Line): void {
    this.isGiven = true;
    this.#line = line;
    this.#copies = copiesOf(this.#batches ?? []);
    this.#batches = undefined;
    line.ended = () => {
      this.#isAlone = true;
    };
    this.#options.onGiven(line);
    const tell = (pid: number, ending: Ending): void => this.#options.onEnded(pid, ending);
    for (const folder of this.#halted.splice(0)) {
      for (const [service, what] of folder.leave(tell)) {
        line.tell({ changed: { directory: folder.directory, service, what } });
      }
    }
    // Whoever is heard from here on is heard by the other as well, who has the connection too.
    for (const keeper of this.#options.keepers().values()) {
      const { hear, ended } = keeper;
      this.#hearers.push(() => Object.assign(keeper, { hear, ended }));
      keeper.hear = (value) => void line.tell(value);
      keeper.ended = undefined;
    }
    this.#answer?.resolve();
    this.#answer = undefined;
  }

  settle(): void {
    if (!this.isGiven) return;
    for (const { descriptors } of this.#copies) for (const one of descriptors) closeSync(one);
    this.#copies = [];
    this.#options.onSettled();
  }

  comeBack(): void {
    if (!this.isGiven) return;
    this.isGiven = false;
    this.#line = undefined;
    this.#isAlone = false;
    for (const hearAgain of this.#hearers.splice(0)) hearAgain();
    const copies = this.#copies;
    this.#copies = [];
    this.#options.onComeBack(copies);
  }

  get keeps(): number {
    return this.isGiven ? this.#options.own.size : 0;
  }

  async left({ stays }: { stays: boolean }): Promise<void> {
    const { own, keep, clock } = this.#options;
    const line = this.#line;
    if (line === undefined || own.size === 0) return;
    line.tell({ keeps: process.pid });
    if (!this.#isAlone && !stays) keep(line.descriptor);
    // Services may run for days where no small program can take our place.
    while (own.size > 0 && !this.#isAlone) {
      await new Promise<void>((resume) => void clock.after(keptPeriod, resume));
    }
  }

  async #halt(): Promise<Given[]> {
    const { clock, folders, snapshots, descriptors, lock, keepers, onHalt } = this.#options;
    await this.#options.ready();
    const until = clock.now() + patience;
    while (clock.now() < until && !folders().every((its) => its.isSettled)) {
      await new Promise<void>((resume) => void clock.after(period, resume));
    }
    const own = descriptors();
    const environments: Record<string, string>[] = [];
    const known = new Map<Shell, number>();
    const place = (shell: Shell): number => {
      const at = known.get(shell);
      if (at !== undefined) return at;
      known.set(shell, environments.length);
      const some = Object.entries(shell).filter(
        (its): its is [string, string] => its[1] !== undefined,
      );
      return environments.push(Object.fromEntries(some)) - 1;
    };
    const shown = snapshots();
    this.#halted = [...folders()];
    const halts = await Promise.allSettled(this.#halted.map((its) => its.halt(own, place)));
    const failed = halts.find((its) => its.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const all = halts.flatMap((its) => (its.status === "fulfilled" ? (its.value ?? []) : []));
    await onHalt();
    const handed: HandedFolder[] = all.map((its) => its.handed);
    const value = { form, pid: process.pid, environments, folders: handed, snapshots: shown };
    const batches: Given[] = [{ value, descriptors: [] }];
    const entries: [Place, number][] = [];
    const held = lock();
    if (held !== undefined) entries.push([[0, "", "lock"], held]);
    for (const [pid, line] of keepers()) entries.push([[pid, "", "keeper"], line.descriptor]);
    all.forEach(({ streams }, at) => {
      for (const [service, its] of streams) entries.push(...placesOf(at, { service, its }));
    });
    const breathe = slices(slice);
    let places: Place[] = [];
    let some: number[] = [];
    let length = 0;
    for (const [at, descriptor] of entries) {
      const next = JSON.stringify(at).length + 1;
      if (some.length === mostDescriptors || length + next > mostCharacters) {
        batches.push({ value: { places }, descriptors: some });
        [places, some, length] = [[], [], 0];
        await breathe();
      }
      places.push(at);
      some.push(descriptor);
      length += next;
    }
    if (some.length > 0) batches.push({ value: { places }, descriptors: some });
    return batches;
  }
}

/** Empty where there is no room for the copies: there is nothing to come back to. */
function copiesOf(batches: readonly Given[]): Given[] {
  const made: number[] = [];
  try {
    return batches.map(({ value, descriptors }) => ({
      value,
      descriptors: descriptors.map((its) => {
        const copy = duplicate(its);
        made.push(copy);
        return copy;
      }),
    }));
  } catch {
    for (const one of made) closeSync(one);
    return [];
  }
}

function placesOf(
  at: number,
  { service, its }: { service: string; its: HandedStreams },
): [Place, number][] {
  return Object.entries(its).map(([stream, descriptor]) => [[at, service, stream], descriptor]);
}
