/** Watched files that change while a build runs -> those that somebody else has changed: it is built again for them. */
import { OwnPaths } from "./own-paths.ts";

export type BuildFiles = {
  /** A hash of the content; undefined where there is no such file. Never rejects. */
  hashOf(path: string): Promise<string | undefined>;
  /** When its content, or it itself, was changed last, and made; undefined where there is no such file. */
  timesOf(path: string): { changed: number; born: number } | undefined;
};

export type BuildWritesOptions = BuildFiles & {
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** A line of our own in the service's log. */
  say(text: string): void;
  /** Files that are remembered: those of names with a hash are new with each build, and a daemon lives for weeks. */
  most?: number;
};

/** `builds`: in how many in a row it has changed. */
type Seen = { hash: string | undefined; build: number; builds: number };

/** Builds in a row that change a file, each time differently: from then on it counts as written by them. */
const enoughBuilds = 3;

/** Milliseconds within which a watch tells of a file: the longest that it waits for quiet, and its own work. */
const latest = 4000;

/** Files that are looked at after a build: one that writes more than these is asked for what it reads by `watch`. */
const mostFiles = 2000;
const mostRemembered = 5 * mostFiles;

/**
 * A build may write into the folder that its service watches, and must not begin again because of that for ever. No
 * system tells who has written a file. So what changes while it runs is built again once; and a file that the second
 * build has written again with the same content, or that each of three has changed, is the build's own. Whatever
 * changes while no build runs is somebody else's.
 */
export class BuildWrites {
  readonly #options: BuildWritesOptions;
  #number = 0;
  #from = Number.NEGATIVE_INFINITY;
  /** Undefined while a build runs. */
  #to: number | undefined = Number.NEGATIVE_INFINITY;
  readonly #pending = new Set<string>();
  /** The one that was met last is at the end. */
  readonly #seen = new Map<string, Seen>();
  readonly #own: OwnPaths;
  readonly #most: number;

  constructor(options: BuildWritesOptions) {
    this.#options = options;
    this.#most = options.most ?? mostRemembered;
    this.#own = new OwnPaths(this.#most);
  }

  get isOpen(): boolean {
    return this.#to === undefined;
  }

  /** `since`: when it began, where that was before now. Milliseconds since the Unix epoch. */
  begin(since = this.#options.wall()): void {
    this.#number += 1;
    this.#from = since;
    this.#to = undefined;
  }

  /** Twice is harmless. */
  end(): void {
    this.#to ??= this.#options.wall();
  }

  /** Notes absolute paths that have changed. True where one of them has changed while no build ran. */
  heard(paths: readonly string[]): boolean {
    let outside = false;
    for (const path of paths) {
      const when = this.#whenOf(path);
      if (when === "during") this.#pending.add(path);
      else if (when === "outside") {
        this.#own.delete(path);
        outside = true;
      }
    }
    return outside;
  }

  /** The noted paths that somebody else than the build may have changed. */
  async judged(): Promise<readonly string[]> {
    const paths = [...this.#pending].slice(0, mostFiles);
    this.#pending.clear();
    const news: string[] = [];
    for (const path of paths) if (await this.#isNews(path)) news.push(path);
    return news;
  }

  /** Notes paths that changed while a build ran, and that the next one had no use for. */
  own(paths: readonly string[]): void {
    for (const path of paths) this.#own.add(path);
  }

  isOwn(path: string): boolean {
    return this.#own.has(path);
  }

  /** `before`: the build that began last has read it. */
  #whenOf(path: string): "before" | "during" | "outside" {
    const from = this.#from;
    const to = this.#to;
    const times = this.#options.timesOf(path);
    if (times === undefined) {
      // No file tells when another one was removed.
      return to === undefined || this.#options.wall() - to < latest ? "during" : "outside";
    }
    const { changed } = times;
    // One that was moved here may have changed long ago.
    if (changed < from && changed >= from - latest) return "before";
    if (to === undefined) return "during";
    return changed >= from && changed <= to ? "during" : "outside";
  }

  async #isNews(path: string): Promise<boolean> {
    if (this.#own.has(path)) {
      this.#own.add(path);
      return false;
    }
    const { hashOf, say } = this.#options;
    const build = this.#number;
    const hash = await hashOf(path);
    const before = this.#seen.get(path);
    const isNext = before !== undefined && before.build < build;
    const builds = isNext && before.build === build - 1 ? before.builds + 1 : 1;
    if (before?.build === build && before.hash === hash) return false;
    this.#remember(path, { hash, build, builds });
    if ((isNext && before.hash === hash) || this.#isBeside(path)) {
      this.#own.add(path);
      return false;
    }
    if (builds < enoughBuilds) return true;
    this.#own.add(path);
    say(`${path} changes with every build, so that it begins none; watch can leave it out`);
    return false;
  }

  #remember(path: string, seen: Seen): void {
    this.#seen.delete(path);
    this.#seen.set(path, seen);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > this.#most) this.#seen.delete(oldest!);
  }

  /** True for a file that came or went in this build, in a folder in which it has written: names with a hash do. */
  #isBeside(path: string): boolean {
    if (!this.#own.hasBeside(path)) return false;
    const times = this.#options.timesOf(path);
    return times === undefined || times.born >= this.#from;
  }
}
