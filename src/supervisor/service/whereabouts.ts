/** A life -> which processes it has, and where they listen, looked at for as long as it runs. */
import { hasPort } from "../../manifest/project.ts";
import { elsewhereText } from "../../routes/state-sentence.ts";
import type { Life, LifeOwner } from "./life.ts";

/** Milliseconds after which a service that listens somewhere else, and not on its port, is taken to mean it. */
const elsewhereAfter = 3000;

/** Milliseconds between two looks: until it is ready and for a few looks more, then. */
const soonPeriod = 1000;
const soonLooks = 3;
const laterPeriod = 30_000;

/** Milliseconds in which a service that need not listen is looked at as often as one that starts. */
const listensBy = 60_000;

/** Ports that debuggers of Node, Bun and browsers open before anything else: not what a service is for. */
export const isInspector = (port: number): boolean => port >= 9222 && port <= 9240;

export class Whereabouts {
  readonly #life: Life;
  readonly #owner: LifeOwner;
  readonly #onElsewhere: () => void;
  /** Looks since it was ready. */
  #looks = 0;
  #lastMembers: readonly number[] = [];

  /** `onElsewhere`: it listens on another port only, and means it. */
  constructor(life: Life, { owner, onElsewhere }: { owner: LifeOwner; onElsewhere(): void }) {
    this.#life = life;
    this.#owner = owner;
    this.#onElsewhere = onElsewhere;
  }

  start(): void {
    const { phase, spec } = this.#owner;
    const { age, listens } = this.#life;
    const mayListen = spec.type === "process" && listens.length === 0 && age < listensBy;
    const soon = phase === "running" || this.#looks++ < soonLooks || mayListen;
    this.#life.after(soon ? soonPeriod : laterPeriod, () => void this.#look());
  }

  async #look(): Promise<void> {
    const life = this.#life;
    const isServer = hasPort(this.#owner.spec);
    const { families, listening } = this.#owner.effects;
    let { listens, listensAs } = life;
    try {
      const pids = (await families.members(life.born.run)).map(({ pid }) => pid);
      this.#noteMembers([...pids, ...families.strays().map(({ pid }) => -pid)]);
      if (isServer) {
        const sockets = await listening.of(pids);
        listens = [...new Set(sockets.map(({ port }) => port))];
        listensAs = [...new Set(sockets.flatMap(({ uid }) => uid ?? []))];
      }
    } catch {
      // The machine could not be looked at, which the families report: what was seen last stands.
    }
    if (life.isOver) return;
    if (String([listens, listensAs]) !== String([life.listens, life.listensAs])) {
      life.listens = listens;
      life.listensAs = listensAs;
      this.#owner.changed();
    }
    // A process that need not listen may listen on any port: for metrics, or for its own workers.
    if (this.#owner.spec.type === "exec" && life.age >= elsewhereAfter) this.#settle();
    this.start();
  }

  #noteMembers(seen: readonly number[]): void {
    if (this.#life.isOver || String(seen) === String(this.#lastMembers)) return;
    this.#lastMembers = seen;
    this.#owner.onMembers();
  }

  #settle(): void {
    const life = this.#life;
    const port = portElsewhere(life);
    const warnings = port === undefined ? [] : [elsewhereText(port, life.born.port)];
    if (String(warnings) !== String(life.warnings)) {
      life.warnings = warnings;
      this.#owner.changed();
    }
    if (port !== undefined) this.#onElsewhere();
  }
}

/** The port to be asked where it listens on another than its own only. */
export function portElsewhere({ born: { port }, listens }: Life): number | undefined {
  if (port !== undefined && listens.includes(port)) return undefined;
  return listens.find((other) => !isInspector(other));
}
