/** The lines to daemons before this one -> what those still tell of the services that they have started. */
import type { Supervised } from "../routes/supervised.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import type { OpenLine } from "./line.ts";
import type { HandingMachine } from "./service/machine.ts";

export type KeepersOptions = {
  clock: Clock;
  machine: Pick<HandingMachine, "adopted" | "keepers" | "childrenOf">;
  /** A request that was sent to the daemon before wants this service. */
  onWake(id: string): void;
  /** The daemon before has seen a change while it handed over. */
  onChange(change: { directory: string; service: string; what: string }): void;
};

/** A message of a daemon that we have replaced. */
type Said = {
  ended?: { pid: number; code: number | null; signal: string | null };
  wake?: string;
  changed?: { directory: string; service: string; what: string };
  keeps?: number;
  /** While we are on trial. */
  ping?: number;
  /** Our trial is over. */
  settled?: boolean;
};

/** Milliseconds between two looks at whether the daemons before us still have children. */
const period = 5000;

export class Keepers {
  readonly #options: KeepersOptions;
  readonly #lines = new Map<number, OpenLine>();
  /** The daemon before, while it serves its last clients: they wait for services that are ours now. */
  #elder: OpenLine | undefined;
  /** The daemon before goes on if we fail. */
  #onTrial = false;
  #cancel: Cancel | undefined;
  /** News of services that nobody here knows before we begin. */
  #early: (() => void)[] | undefined = [];

  constructor(options: KeepersOptions) {
    this.#options = options;
  }

  /** By pid, for the daemon after us. */
  get lines(): ReadonlyMap<number, OpenLine> {
    return this.#lines;
  }

  /** A daemon that stays the parent of what it has started. `serves`: it still has clients, who hear of services. */
  add(
    pid: number,
    line: OpenLine,
    { serves, onTrial = false }: { serves: boolean; onTrial?: boolean | undefined },
  ): void {
    this.#options.machine.keepers.add(pid);
    this.#lines.set(pid, line);
    if (serves) this.#elder = line;
    this.#onTrial ||= onTrial;
    line.hear = (value) => this.#hear(value, line);
    line.ended = () => this.#forget(pid, line);
  }

  /** Looks from now on, now and then, who is needed no more. The services of the daemon before are known by now. */
  begin(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const tell of early) tell();
    this.#cancel ??= this.#options.clock.every(period, () => this.#sweep());
  }

  /** Tells the clients of the daemon before. */
  tell(supervised: Supervised): void {
    this.#elder?.tell({ supervised });
  }

  /** We end as we were told to, or hand over ourselves: that is no failure, after which the daemon before goes on. */
  release(): void {
    this.#onTrial = false;
    this.#elder?.tell({ released: true });
  }

  /** A fault of ours: `why`, for a sentence. @returns whether the daemon before goes on once this process has ended. */
  fails(why: string): boolean {
    return this.#onTrial && this.#elder?.tell({ failed: why }) === true;
  }

  /** Looks no more; the lines stay, for the daemon after us. Twice is harmless. */
  halt(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Lets go of all of them. */
  end(): void {
    this.halt();
    for (const line of this.#lines.values()) line.end();
  }

  #hear(value: unknown, line: OpenLine): void {
    const { ended, wake, changed, keeps, ping, settled } = (value ?? {}) as Said;
    if (settled === true && line === this.#elder) this.#onTrial = false;
    if (ping !== undefined) line.tell({ pong: ping });
    if (ended !== undefined) {
      this.#options.machine.adopted.told(ended.pid, { code: ended.code, signal: ended.signal });
    }
    const { onWake, onChange } = this.#options;
    if (wake !== undefined) this.#whenKnown(() => onWake(wake));
    if (changed !== undefined) this.#whenKnown(() => onChange(changed));
    // The daemon before passes on what those before it say.
    if (keeps !== undefined && this.#lines.get(keeps) === this.#elder) this.#elder = undefined;
  }

  #whenKnown(tell: () => void): void {
    if (this.#early === undefined) tell();
    else this.#early.push(tell);
  }

  #forget(pid: number, line: OpenLine): void {
    this.#options.machine.keepers.delete(pid);
    this.#lines.delete(pid);
    if (this.#elder !== line) return;
    this.#elder = undefined;
    this.#onTrial = false;
  }

  /** Lets go of those whose processes have all ended. */
  #sweep(): void {
    for (const [pid, line] of [...this.#lines]) {
      // One that serves its last clients ends by itself.
      if (line === this.#elder || this.#options.machine.childrenOf(pid)?.length !== 0) continue;
      line.end();
      this.#forget(pid, line);
    }
    if (this.#lines.size === 0) this.halt();
  }
}
