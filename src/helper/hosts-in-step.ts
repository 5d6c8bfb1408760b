/** The names that have to resolve now -> the hosts file has them, by few calls of whoever may write it. */
import type { Cancel, Clock } from "../system/clock.ts";
import { type StepAction, type StepEvent, type StepState, stepTable } from "./step-states.ts";

/** `why` is a sentence for a person. */
export type StepResult = { kind: "written" } | { kind: "failed"; why: string };

export type HostsInStepOptions = {
  clock: Clock;
  /** The names as they are at this moment: ascending, each once. */
  names(): readonly string[];
  /** The names that the file has of ours; undefined: nobody can tell, or they are not whole. */
  there(): readonly string[] | undefined;
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

export class HostsInStep {
  readonly #options: HostsInStepOptions;
  #state: StepState = "settled";
  #timer: { due: number; cancel: Cancel } | undefined;
  #rest = firstRest;
  #call: Promise<void> = Promise.resolve();

  constructor(options: HostsInStepOptions) {
    this.#options = options;
  }

  get state(): StepState {
    return this.#state;
  }

  /** The names may be others than before, or the file, or who may write it. Costs nothing where all is as it was. */
  changed(): void {
    if (this.#state === "settled" && this.#isThere()) return;
    this.#event("changed");
  }

  /** Once, by the daemon that is not replaced: the names go. Resolves when that is done, or late. */
  async end({ remove }: { remove: boolean }): Promise<void> {
    if (this.#state === "over") return;
    this.#event("end");
    const { clock, writer, there } = this.#options;
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(endPatience, late.resolve);
    const gone = this.#call.then(async () => {
      if (!remove || there()?.length === 0) return;
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
    const write = this.#isThere() ? undefined : writer();
    const result = await write?.(wanted);
    if (result?.kind === "failed") {
      failed(result.why);
      this.#event("failed");
      return;
    }
    this.#rest = firstRest;
    settled();
    this.#event("written");
  }

  #isThere(): boolean {
    const { names, there } = this.#options;
    const [wanted, found] = [names(), there()];
    return wanted.length === found?.length && wanted.every((name, index) => name === found[index]);
  }

  /** Whether a name is wanted that the file does not have. */
  #isMissing(): boolean {
    const { names, there } = this.#options;
    const found = new Set(there());
    return names().some((name) => !found.has(name));
  }
}
