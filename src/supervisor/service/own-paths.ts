/** Paths of files that builds write -> those that were met last, and whether a folder has one of them. */

export class OwnPaths {
  readonly #most: number;
  /** The one that was met last is at the end. */
  readonly #paths = new Set<string>();
  /** Folder -> how many of the paths are in it. */
  readonly #folders = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  hasBeside(path: string): boolean {
    return this.#folders.has(folderOf(path));
  }

  add(path: string): void {
    this.delete(path);
    this.#paths.add(path);
    const folder = folderOf(path);
    this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
    const [oldest] = this.#paths;
    if (this.#paths.size > this.#most) this.delete(oldest!);
  }

  delete(path: string): void {
    if (!this.#paths.delete(path)) return;
    const folder = folderOf(path);
    const left = this.#folders.get(folder)! - 1;
    if (left === 0) this.#folders.delete(folder);
    else this.#folders.set(folder, left);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
