/** A TOML document and a path in it -> the value that stands there, or a mistake with its line. Pure. */
import { type Document, type Path, pathText } from "./toml.ts";
import { shown } from "../text/shown.ts";

export type TomlTable = Readonly<Record<string, unknown>>;

export type TomlMistake = { line: number; what: string };

/** Keys that nobody asks for are left alone: a later version of the format may have them. */
export class TomlValues {
  readonly #document: Document;
  readonly #mistakes: TomlMistake[] = [];

  constructor(document: Document) {
    this.#document = document;
  }

  /** In the order of lines. */
  get mistakes(): readonly TomlMistake[] {
    return [...this.#mistakes].sort((one, other) => one.line - other.line);
  }

  /** `:3 buildpack.id: …`, as it follows the name of the file; further mistakes behind it. */
  get sentence(): string {
    return this.mistakes.map(({ line, what }) => `:${line} ${what}`).join("; ");
  }

  add(path: Path, what: string): void {
    const key = path.length === 0 ? "" : `${pathText(path)}: `;
    this.#mistakes.push({ line: this.#document.placeOf(path).line, what: `${key}${what}` });
  }

  has(path: Path): boolean {
    return this.at(path) !== undefined;
  }

  /** Undefined where nothing stands there, and where something else does: a mistake then. */
  text(path: Path): string | undefined {
    const its = this.at(path);
    if (its === undefined || typeof its === "string") return its;
    this.add(path, `${shown(its)} is no text in quotes`);
    return undefined;
  }

  /** A text that has to be there, and not to be empty. */
  needed(path: Path): string | undefined {
    const its = this.text(path);
    if (its !== undefined && its !== "") return its;
    const key = String(path.at(-1));
    if (its === "") this.add(path, "is empty");
    else if (!this.has(path)) this.add(path.slice(0, -1), `has no ${key}`);
    return undefined;
  }

  flag(path: Path): boolean | undefined {
    const its = this.at(path);
    if (its === undefined || typeof its === "boolean") return its;
    this.add(path, `${shown(its)} is neither true nor false`);
    return undefined;
  }

  texts(path: Path): string[] | undefined {
    const its = this.at(path);
    if (its === undefined) return undefined;
    if (Array.isArray(its) && its.every((each) => typeof each === "string")) return its;
    this.add(path, `${shown(its)} is no list of texts in quotes`);
    return undefined;
  }

  table(path: Path): TomlTable | undefined {
    const its = this.at(path);
    if (its === undefined || isTomlTable(its)) return its;
    this.add(path, `${shown(its)} is no table`);
    return undefined;
  }

  /** The paths of the tables in a list of them. */
  tables(path: Path): Path[] {
    const its = this.at(path);
    if (its === undefined) return [];
    if (Array.isArray(its) && its.every(isTomlTable)) return its.map((_, at) => [...path, at]);
    const name = path.filter((part) => typeof part === "string").join(".");
    this.add(path, `is no list of tables, each of which begins with [[${name}]]`);
    return [];
  }

  at(path: Path): unknown {
    let its: unknown = this.#document.value;
    for (const part of path) {
      if (Array.isArray(its)) its = its[part as number];
      else if (isTomlTable(its) && Object.hasOwn(its, part)) its = its[part];
      else return undefined;
    }
    return its;
  }
}

export function isTomlTable(value: unknown): value is TomlTable {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
