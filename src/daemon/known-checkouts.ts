/** Services and projects -> the git checkouts and labels of their repositories, at one moment. */
import type { Checkouts } from "../discovery/checkouts.ts";
import type { KnownCheckouts, KnownLabel, ServiceCheckout } from "../routes/checkout.ts";
import type { Service } from "../routes/service.ts";
import type { Supervised } from "../routes/supervised.ts";

/** Repositories with servers at one moment. */
const mostRepositories = 64;
/** Names of worktrees' servers that are remembered after their end. */
const mostLeft = 1_000;

const noLabels: ReadonlyMap<string, KnownLabel> = new Map();

type Seen = { services: readonly Service[]; supervised: readonly Supervised[] };

type Snapshot = KnownCheckouts & {
  folders: ReadonlyMap<string, ServiceCheckout | undefined>;
  repositories: ReadonlyMap<string, ReadonlyMap<string, KnownLabel>>;
};

/** Files are read when a table of routes is made, and at no request. */
export class CheckoutsNow {
  readonly #checkouts: Checkouts;
  /** The least recent first. */
  readonly #left = new Map<string, ServiceCheckout>();
  #taken: Snapshot | undefined;

  constructor(checkouts: Checkouts) {
    this.#checkouts = checkouts;
  }

  /** The same object while nothing has changed. */
  taken({ services, supervised }: Seen): KnownCheckouts {
    for (const service of services) this.#remember(service);
    const folders = new Map(
      supervised.map(({ directory }) => [directory, this.#checkouts.of(directory)]),
    );
    const repositories = new Map<string, ReadonlyMap<string, KnownLabel>>();
    for (const its of [...services.map(({ checkout }) => checkout), ...folders.values()]) {
      if (its === undefined || repositories.has(its.repository)) continue;
      if (repositories.size >= mostRepositories) break;
      repositories.set(its.repository, this.#checkouts.labels(its.repository));
    }
    if (this.#taken !== undefined && isSame(this.#taken, { folders, repositories })) {
      return this.#taken;
    }
    const worktrees = new Map(
      [...repositories.keys()].map((its) => [its, this.#checkouts.worktrees(its)]),
    );
    this.#taken = {
      folders,
      repositories,
      of: (folder) => folders.get(folder),
      labels: (repository) => repositories.get(repository) ?? noLabels,
      worktrees: (repository) => worktrees.get(repository) ?? [],
      left: (name) => this.#left.get(name),
    };
    return this.#taken;
  }

  /** A browser's tab still asks for the name when its server has ended, and its worktree may be gone then. */
  #remember({ name, routable, checkout }: Service): void {
    const { label } = checkout ?? {};
    if (!routable || checkout === undefined || label === undefined) return;
    if (name !== label && !name.startsWith(`${label}.`)) return;
    this.#left.delete(name);
    this.#left.set(name, checkout);
    if (this.#left.size > mostLeft) this.#left.delete(this.#left.keys().next().value!);
  }
}

function isSame(
  before: Snapshot,
  { folders, repositories }: Pick<Snapshot, "folders" | "repositories">,
): boolean {
  return (
    before.repositories.size === repositories.size &&
    [...repositories].every(([repository, labels]) => before.labels(repository) === labels) &&
    Bun.deepEquals(before.folders, folders)
  );
}
