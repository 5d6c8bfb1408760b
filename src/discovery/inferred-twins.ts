/** Servers of one kind in one folder, scan after scan -> those that have their port in their names, as before. */
import type { Unit } from "./inferred-units.ts";
import type { KeptNames } from "./kept-names.ts";

/** As long as a path may be. */
const longestScope = 4096;

/** `folder` and `id`: equal for all of `units`, which are in the order in which they get names. */
export type Alike = { folder: string; id: string; units: readonly Unit[] };

/**
 * A server does not get the plain name of another that has ended: that one is started again and comes back for it. The
 * port of the one that had it is kept for the next daemon.
 */
export class Twins {
  #before: ReadonlyMap<string, boolean> = new Map();
  /** By identity: whether a server has its port in its name. */
  #now = new Map<string, boolean>();

  /** A scan begins: servers that are not asked for until the next have ended. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** Those that have their port in their names. */
  withPorts({ folder, id, units }: Alike, kept: KeptNames): ReadonlySet<Unit> {
    const asked = { scope: `${folder} ${id}`.slice(0, longestScope), folder, id: "port" };
    const port = kept.find({ ...asked, wanted: [""], isCertain: false });
    const rank = (unit: Unit): number => {
      const before = this.#before.get(keyOf(unit));
      if (before !== undefined) return before ? 3 : 0;
      return String(unit.port) === port ? 1 : 2;
    };
    const [first] = [...units].sort((a, b) => rank(a) - rank(b));
    const plain = first !== undefined && rank(first) < 3 ? first : undefined;
    const others = new Set(units.filter((its) => its !== plain));
    for (const unit of units) this.#now.set(keyOf(unit), unit !== plain);
    if (plain !== undefined && others.size > 0) {
      kept.give({ ...asked, wanted: [String(plain.port)], isCertain: true });
    }
    return others;
  }
}

function keyOf({ main: { process } }: Unit): string {
  return `${process.pid} ${process.startedAt}`;
}
