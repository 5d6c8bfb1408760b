/** The names that have to resolve now -> the hosts file has them, by few calls of whoever may write it. */
import type { Cancel, Clock } from "../system/clock.ts";
import { type StepAction, type StepEvent, type StepState, stepTable } from "./step-states.ts";

/** `why` is a sentence for a person. */
export type StepResult = { kind: "written" } | { kind: "failed"; why: string };

export type HostsInStepOptions = {
  clock: Clock;
  /** The names as they are at this moment: ascending, each once. */
  names(): readonly string[];
  /** Whether the file has exactly these of ours, and nothing has to be written. */
  isThere(names: readonly string[]): boolean;
  /** Undefined: nobody may write them now. Never rejects. */
  writer(): ((names: readonly string[]) => Promise<StepResult>) | undefined;
  /** A call has failed. */
  failed(why: string): void;
  /** The file has the names. */
  settled(): void;
};

/** Milliseconds from a change to the call: a project's services come up within moments of each other. */
const gathering = 100;
/** The same where names are only to go: a server that is restarted is back by then, and its name harms nobody. */
const lingering = 3_000;
/** After a failure, twice as long each time. */
const firstRest = 1_000;
const longestRest = 60_000;
/** For the last call of all. */
const endPatience = 2_000;

const nothingToDo: StepResult = { kind: "written" };

export class HostsInStep {
  readonly #options: HostsInStepOptions;
  #state: StepState = "settled";
  #timer: { due: number; cancel: Cancel } | undefined;
  #rest = firstRest;
  #call: Promise<void> = Promise.resolve();
  /** The names of the last call: what the file has, as far as we know without a look. */
  #last: ReadonlySet<string> = new Set();

  constructor(options: HostsInStepOptions) {
    this.#options = options;
  }

  get state(): StepState {
    return this.#state;
  }

  /** The names may be others than before, or the file, or who may write it. Costs nothing where all is as it was. */
  changed(): void {
    if (this.#state === "settled" && (this.#options.writer() === undefined || this.#isThere()))
      return;
    this.#event("changed");
  }

  /** Once, by the daemon that is not replaced: the names go. Resolves when that is done, or late. */
  async end({ remove }: { remove: boolean }): Promise<void> {
    if (this.#state === "over") return;
    this.#event("end");
    const { clock, writer, isThere } = this.#options;
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(endPatience, late.resolve);
    const gone = this.#call.then(async () => {
      if (!remove || isThere([])) return;
      const result = await writer()?.([]);
      if (result?.kind === "failed") this.#options.failed(result.why);
    });
    await Promise.race([gone, late.promise]);
    cancel();
  }

  #event(event: StepEvent): void {
    const move = stepTable[this.#state][event];
    if (move === undefined) return;
    this.#state = move.next;
    if (move.action !== undefined) this.#actions[move.action]();
  }

  readonly #actions: Readonly<Record<StepAction, () => void>> = {
    wait: () => this.#after(this.#isMissing() ? gathering : lingering),
    write: () => {
      this.#timer = undefined;
      this.#call = this.#write();
    },
    rest: () => {
      this.#after(this.#rest);
      this.#rest = Math.min(longestRest, this.#rest * 2);
    },
    stop: () => this.#timer?.cancel(),
  };

  /** A timer that ends sooner goes on. */
  #after(delay: number): void {
    const { clock } = this.#options;
    const due = clock.now() + delay;
    if (this.#timer !== undefined && this.#timer.due <= due) return;
    this.#timer?.cancel();
    this.#timer = { due, cancel: clock.after(delay, () => this.#event("time")) };
  }

  async #write(): Promise<void> {
    const { names, writer, failed, settled } = this.#options;
    const wanted = names();
    this.#last = new Set(wanted);
    const write = this.#isThere() ? undefined : writer();
    const result = write === undefined ? nothingToDo : await write(wanted);
    if (result.kind === "failed") {
      failed(result.why);
      this.#event("failed");
      return;
    }
    this.#rest = firstRest;
    settled();
    this.#event("written");
  }

  #isThere(): boolean {
    const { names, isThere } = this.#options;
    return isThere(names());
  }

  #isMissing(): boolean {
    return this.#options.names().some((name) => !this.#last.has(name));
  }
}
