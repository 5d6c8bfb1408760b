/** A life whose process names another as its main one -> which process that is, and how the life ends by it. */
import type { Ending } from "../family/ending.ts";
import type { Life, LifeOwner } from "./life.ts";

/** Milliseconds between two looks at a main process that is not our child. */
const mainPeriod = 1000;

export type MainProcessOptions = {
  owner: LifeOwner;
  /** The main process has ended. */
  onEnd(how: Ending): void;
};

export class MainProcess {
  readonly #life: Life;
  readonly #owner: LifeOwner;
  readonly #onEnd: (how: Ending) => void;
  /** Settles once it is known whether a process that it named may be its main one. */
  #believing: Promise<void> | undefined;

  constructor(life: Life, { owner, onEnd }: MainProcessOptions) {
    this.#life = life;
    this.#owner = owner;
    this.#onEnd = onEnd;
  }

  /** Notes that the service named its main process. */
  named(pid: number): void {
    this.#believing = this.#believe(pid);
  }

  /** The process that was spawned has ended. */
  spawnedEnded(how: Ending): void {
    if (this.#believing === undefined) this.#onEnd(how);
    else void this.#follow(this.#believing, how);
  }

  /** Only a process of its own family can be its main one. */
  async #believe(pid: number): Promise<void> {
    const life = this.#life;
    if (pid === life.born.run.pid || !(await this.#isMember(pid)) || life.isOver) return;
    life.mainPid = pid;
    this.#owner.changed();
  }

  /** The spawned process has put another in its place, and is done; that one's end is the end. */
  async #follow(believing: Promise<void>, how: Ending): Promise<void> {
    const life = this.#life;
    await believing;
    const main = life.mainPid;
    const alive = main !== undefined && (await this.#isMember(main));
    if (life.isOver) return;
    if (main === undefined) this.#onEnd(how);
    else if (!alive) this.#onEnd(this.#owner.effects.families.endingOf(main) ?? how);
    else {
      // How the spawned process ended says nothing of the main one.
      const unknown: Ending = { code: null, signal: null };
      life.after(mainPeriod, () => void this.#follow(believing, unknown));
    }
  }

  async #isMember(pid: number): Promise<boolean> {
    try {
      const members = await this.#owner.effects.families.members(this.#life.born.run);
      return members.some((member) => member.pid === pid);
    } catch {
      // The machine could not be looked at, which the families report.
      return false;
    }
  }
}
