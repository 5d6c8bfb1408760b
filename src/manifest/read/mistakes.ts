/** Errors in the files of a project -> sentences with file, line and key, in the order of files and lines. Pure. */
import { type Layer, type Mistake, mistakeText } from "../layer.ts";

/** Where an error is reported. */
export type At = Pick<Mistake, "source" | "path">;

export class Mistakes {
  readonly #found: Mistake[] = [];

  get any(): boolean {
    return this.#found.length > 0;
  }

  add({ source, path }: At, what: string): void {
    this.#found.push({ source, path, what });
  }

  /** Errors that the reader of a single file has found. */
  addAll(mistakes: readonly Mistake[]): void {
    this.#found.push(...mistakes);
  }

  /** The file that people edit is the last layer, and comes first; within a file the lines are in order. */
  sentences(layers: readonly Layer[]): string[] {
    const order = new Map(layers.map(({ tree }, index) => [tree.source.name, index]));
    const rows = this.#found.map((its) => ({
      layer: -(order.get(its.source.name) ?? -1),
      line: its.source.lineOf(its.path),
      text: mistakeText(its),
    }));
    rows.sort((one, other) => one.layer - other.layer || one.line - other.line);
    return [...new Set(rows.map((its) => its.text))];
  }
}
