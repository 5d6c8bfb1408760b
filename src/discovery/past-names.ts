/** Names that servers are given, scan after scan -> those of ended ones that a folder may not take yet. */
import { isInside } from "../routes/name-rights.ts";

/**
 * Milliseconds. A server that is started again comes back under its name, and its requests, cookies and forms are meant
 * for nobody else meanwhile. A name that nobody comes back for is free after this time.
 */
export const heldFor = 60 * 60 * 1000;

/** The ones that were seen last are kept. */
const mostNames = 1000;

type Past = { cwd: string | undefined; at: number };

export class PastNames {
  /** The least recent first. */
  readonly #byName = new Map<string, Past>();

  /** A server has the name at this moment. `cwd`: the folder that it runs in. */
  see(name: string, { cwd, at }: Past): void {
    this.#byName.delete(name);
    this.#byName.set(name, { cwd, at });
    if (this.#byName.size > mostNames) this.#byName.delete(this.#byName.keys().next().value!);
  }

  /** Whether the name is kept from a project. The same program, now without its NAME, may have it at once. */
  isKept(name: string, { folder, now }: { folder: string; now: number }): boolean {
    const its = this.#byName.get(name);
    if (its === undefined || Math.abs(now - its.at) >= heldFor) return false;
    return its.cwd === undefined || !isInside(its.cwd, folder);
  }
}
