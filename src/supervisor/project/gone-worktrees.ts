/** Linked worktrees that are not where they were -> their projects followed, or ended with all that they had. */
import type { Clock } from "../../system/clock.ts";
import type { Folders } from "./folders.ts";
import type { Registry } from "./registry.ts";
import { type Fate, fateOf } from "./worktree-fate.ts";

export type GoneWorktreesOptions = {
  clock: Clock;
  registry: Registry;
  folders: Folders;
  /** Goes on with the project whose folder is at that path now. */
  follow(to: string): Promise<unknown>;
  /** Ends the project's services, and frees its names, ports and logs. */
  forget(path: string): Promise<void>;
  /** Once it is known: whether another daemon has the projects, or is to have them. */
  isOver(): Promise<boolean>;
  note(text: string): void;
};

/** Milliseconds between two looks: whoever moves a worktree writes that down a moment later. */
const moment = 500;

export class GoneWorktrees {
  readonly #options: GoneWorktreesOptions;
  /** By path, while it is found out what becomes of it. */
  readonly #going = new Map<string, Promise<void>>();

  constructor(options: GoneWorktreesOptions) {
    this.#options = options;
  }

  /** Looks after those that were deleted while nobody looked. Never rejects. */
  async sweep(): Promise<void> {
    const { registry } = this.#options;
    const paths = registry.list().map(({ path }) => path);
    const linked = paths.filter((path) => registry.namingOf(path).label !== undefined);
    await Promise.all(linked.map((path) => this.gone(path)));
  }

  /** The folder is not at its path, or another one is. Never rejects. */
  gone(path: string): Promise<void> {
    const known = this.#going.get(path);
    if (known !== undefined) return known;
    const going = this.#settle(path)
      .catch((error: Error) => this.#options.note(`${path}: ${error.stack ?? error.message}`))
      .finally(() => this.#going.delete(path));
    this.#going.set(path, going);
    return going;
  }

  async #settle(path: string): Promise<void> {
    const { clock, registry, folders, follow, forget, isOver, note } = this.#options;
    let fate = await this.#fateOf(path);
    if (fate.kind === "deleted") {
      await new Promise<void>((resolve) => void clock.after(moment, resolve));
      // An `up` of the folder that is there now may be under way.
      await folders.known(path)?.inTurn(async () => {});
      fate = await this.#fateOf(path);
    }
    if (fate.kind === "unknown" || (await isOver())) return;
    if (fate.kind === "moved") {
      await follow(fate.to);
      return;
    }
    const name = registry.list().find((its) => its.path === path)?.name ?? path;
    note(`the worktree of ${name} was deleted, and its services end: ${path}`);
    await forget(path);
  }

  async #fateOf(path: string): Promise<Fate> {
    const { registry, folders } = this.#options;
    const folder = folders.known(path);
    const { root = path, label, repository } = folder?.naming ?? registry.namingOf(path);
    if (label === undefined) return { kind: "unknown" };
    const identity = folder?.identity ?? registry.identityOf(path);
    const units = folder?.project?.units() ?? [];
    const pids = units.flatMap(({ service }) => service?.run()?.pid ?? []);
    const isUp = folder?.project?.isActive === true;
    return await fateOf({ directory: path, root, repository, identity, pids, isUp });
  }
}
