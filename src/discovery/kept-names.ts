/** Names that folders have -> the next free one for a folder, the same as before where it had one. Pure. */

/** A label that a folder, or one of several servers in it, has under another name. */
export type KeptName = {
  /** Labels are apart within a scope: the folder of a root, for what is in it; a worktree's label, for roots. */
  scope: string;
  folder: string;
  /** Tells several servers of the folder apart; empty for the folder itself. */
  id: string;
  /** The label that it asked for. A folder that asks for another begins anew. */
  wanted: string;
  /** Empty: the folder's own name, without a label of its own. */
  label: string;
  /** The day on which it was last seen, since the Unix epoch. */
  day: number;
};

/** Entries; the ones that were seen last are kept. */
export const mostKept = 1000;

export type KeptNamesOptions = {
  entries: readonly KeptName[];
  day: number;
  /** Whether a folder is still there. Asked only where its name is wanted by another. */
  isThere(folder: string): boolean;
};

export type Asked = Pick<KeptName, "scope" | "folder" | "id"> & {
  /** The best first, never empty. */
  wanted: readonly string[];
  /** False: what it asks for is a guess for now, so that an earlier label stays. */
  isCertain: boolean;
};

export class KeptNames {
  readonly #byKey = new Map<string, KeptName>();
  readonly #options: KeptNamesOptions;
  readonly #asked = new Set<string>();
  #changed = false;

  constructor(options: KeptNamesOptions) {
    this.#options = options;
    for (const entry of options.entries) this.#byKey.set(keyOf(entry), entry);
  }

  get changed(): boolean {
    return this.#changed;
  }

  /** Those that were asked for last, bounded. */
  entries(): KeptName[] {
    const all = [...this.#byKey.entries()].sort(([a, its], [b, other]) => {
      return Number(this.#asked.has(a)) - Number(this.#asked.has(b)) || its.day - other.day;
    });
    return all.slice(-mostKept).map(([, entry]) => entry);
  }

  /** The label that it had, where it asks for the same. */
  find({ wanted, isCertain, ...its }: Asked): string | undefined {
    const entry = this.#byKey.get(keyOf(its));
    if (entry === undefined || (isCertain && entry.wanted !== wanted[0])) return undefined;
    return entry.label;
  }

  /** The label that it had, or the first that is free: one that it asks for, or else with a number. */
  give(asked: Asked): string {
    const before = this.find(asked);
    const label = before ?? this.#free(asked);
    const { wanted, isCertain, ...its } = asked;
    const { day } = this.#options;
    const key = keyOf(its);
    this.#asked.add(key);
    if (before === undefined || this.#byKey.get(key)?.day !== day) {
      const kept = isCertain || before === undefined ? wanted[0]! : this.#byKey.get(key)!.wanted;
      this.#byKey.set(key, { ...its, wanted: kept, label, day });
      this.#changed = true;
    }
    return label;
  }

  /** Whether another folder has the label as its own name, be its server there or not. */
  isOthers(label: string, { scope, folder }: Pick<KeptName, "scope" | "folder">): boolean {
    return [...this.#byKey.values()].some(
      (its) =>
        its.label === label &&
        its.scope === scope &&
        its.id === "" &&
        its.folder !== folder &&
        this.#options.isThere(its.folder),
    );
  }

  #free({ scope, folder, id, wanted }: Asked): string {
    const own = keyOf({ scope, folder, id });
    const isFree = (label: string): boolean => {
      for (const [key, entry] of this.#byKey) {
        if (entry.scope !== scope || entry.label !== label || key === own) continue;
        if (this.#options.isThere(entry.folder)) return false;
        this.#byKey.delete(key);
        this.#changed = true;
      }
      return true;
    };
    const first = wanted.find(isFree);
    if (first !== undefined) return first;
    const base = wanted.find((label) => label !== "") ?? "server";
    for (let number = 2; ; number++) {
      const label = `${base}-${number}`;
      if (isFree(label)) return label;
    }
  }
}

function keyOf({ scope, folder, id }: Pick<KeptName, "scope" | "folder" | "id">): string {
  return `${scope}\0${folder}\0${id}`;
}

/** The content of a file -> its entries; undefined where it is not such a file. */
export function readKept(value: unknown): KeptName[] | undefined {
  if (!Array.isArray(value) || value.length > mostKept) return undefined;
  return value.every(isKept) ? value : undefined;
}

const label = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)?$/;

function isKept(value: unknown): value is KeptName {
  if (typeof value !== "object" || value === null) return false;
  const its = value as Record<string, unknown>;
  const texts = [its.scope, its.folder, its.id, its.wanted, its.label];
  return (
    texts.every((text) => typeof text === "string" && text.length <= 4096) &&
    [its.wanted, its.label].every(
      (text) => label.test(text as string) && (text as string).length <= 63,
    ) &&
    Number.isSafeInteger(its.day)
  );
}
