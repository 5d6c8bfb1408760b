/** The text of a compose file -> its nodes, each with its line, without aliases; or the errors in it. Pure. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import { shown } from "../../text/shown.ts";

export type ComposeFile = {
  /** The name in messages: `compose.yaml`. */
  name: string;
  /** The folder that its paths are relative to, itself relative to the project's: `.`, `deploy`. */
  folder: string;
};

export type At = { file: ComposeFile; line: number };

/** Compose's own tags, for files that are merged over others. */
export type Tag = "reset" | "override";

export type Scalar = At & {
  kind: "scalar";
  value: string | number | boolean | null;
  /** As written, without quotes. */
  text: string;
  tag?: Tag | undefined;
};

export type List = At & { kind: "list"; items: readonly Node[]; tag?: Tag | undefined };

/** `at`: the place of the key. */
export type Entry = { at: At; node: Node };

export type Mapping = At & {
  kind: "mapping";
  entries: ReadonlyMap<string, Entry>;
  tag?: Tag | undefined;
};

export type Node = Scalar | List | Mapping;

export type Yaml = { kind: "done"; documents: Node[] } | { kind: "mistakes"; mistakes: string[] };

/** Bytes: room for hundreds of services, and the worst that a parser can be given takes a second of it. */
export const longestFile = 128 * 1024;

/** Values, with those that aliases repeat: as many as the longest of files has, and more. */
const mostNodes = 50_000;

/** Deeper than any compose file, and shallow enough for the stack. */
const deepest = 50;

const mostMistakes = 10;

export function readYaml(text: string, file: ComposeFile): Yaml {
  const lines = new LineCounter();
  // The check of the library for repeated keys, and its lines in messages, take time that grows with the square.
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ""), {
    ...{ uniqueKeys: false, prettyErrors: false, lineCounter: lines, merge: false },
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const reader = new Reader(file, lineAt);
  for (const { errors } of documents) {
    for (const { code, message, pos } of errors.slice(0, mostMistakes)) {
      // Each level that was too much is an error of its own.
      const isDeep = code === "RESOURCE_EXHAUSTION";
      reader.wrong(pos[0], isDeep ? "nested too deeply" : `invalid YAML: ${message}`);
      if (isDeep) break;
    }
  }
  if (reader.mistakes.length > 0) return { kind: "mistakes", mistakes: reader.mistakes };
  const nodes = documents.flatMap(({ contents }) =>
    contents === null ? [] : (reader.node(contents, 0) ?? []),
  );
  if (reader.mistakes.length > 0) return { kind: "mistakes", mistakes: reader.mistakes };
  return { kind: "done", documents: nodes };
}

export function placeText({ file, line }: At): string {
  return `${file.name}:${line}`;
}

const coreTag = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq|merge)$/;

/** A part of a document that an anchor names; undefined while it is being read. */
type Anchored = { node: Node; size: number } | undefined;

class Reader {
  readonly mistakes: string[] = [];
  readonly #file: ComposeFile;
  readonly #lineAt: (offset: number) => number;
  readonly #anchors = new Map<string, Anchored>();
  #size = 0;
  #stopped = false;

  constructor(file: ComposeFile, lineAt: (offset: number) => number) {
    this.#file = file;
    this.#lineAt = lineAt;
  }

  wrong(offset: number, what: string): undefined {
    if (this.mistakes.length >= mostMistakes) this.#stopped = true;
    else this.mistakes.push(`${placeText(this.#at(offset))}: ${what}`);
    return undefined;
  }

  /** Undefined where it is wrong, which has been reported. */
  node(its: unknown, depth: number): Node | undefined {
    if (this.#stopped) return undefined;
    const { range, tag, anchor } = its as { range?: [number]; tag?: string; anchor?: string };
    const offset = range?.[0] ?? 0;
    if (depth > deepest) return this.wrong(offset, "nested too deeply");
    if (isAlias(its)) return this.#aliased(its.source, offset);
    if (!this.#isRoomFor(1, offset)) return undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const before = this.#size;
    const own: Tag | undefined =
      tag === "!reset" ? "reset" : tag === "!override" ? "override" : undefined;
    if (tag !== undefined && own === undefined && !coreTag.test(tag)) {
      return this.wrong(offset, `the tag ${shown(tag)} is unknown`);
    }
    const node = this.#untagged(its, { offset, depth });
    const found = node === undefined || own === undefined ? node : { ...node, tag: own };
    if (anchor !== undefined && found !== undefined) {
      this.#anchors.set(anchor, { node: found, size: this.#size - before + 1 });
    }
    return found;
  }

  #untagged(its: unknown, { offset, depth }: { offset: number; depth: number }): Node | undefined {
    const at = this.#at(offset);
    if (isScalar(its)) {
      const { value, source } = its;
      const isPlain = ["string", "number", "boolean"].includes(typeof value) || value === null;
      if (!isPlain) return this.wrong(offset, "expected a text, a number, true or false");
      const text = typeof value === "string" ? value : (source ?? String(value));
      return { ...at, kind: "scalar", value: value as Scalar["value"], text };
    }
    if (isSeq(its)) {
      const items = its.items.flatMap((item) => this.node(item, depth + 1) ?? []);
      return { ...at, kind: "list", items };
    }
    if (!isMap(its)) return this.wrong(offset, "expected a text, a list or a mapping");
    return { ...at, kind: "mapping", entries: this.#entries(its.items, depth) };
  }

  #entries(pairs: readonly { key: unknown; value: unknown }[], depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const merges: Node[] = [];
    const seen = new Set<string>();
    for (const { key, value } of pairs) {
      const offset = (key as { range?: [number] } | null)?.range?.[0] ?? 0;
      const name = this.node(key, depth + 1);
      if (name?.kind !== "scalar" || name.value === null) {
        if (name !== undefined) this.wrong(offset, "a key is a text");
        continue;
      }
      if (seen.has(name.text)) {
        this.wrong(offset, `the key ${shown(name.text)} is there twice`);
        continue;
      }
      seen.add(name.text);
      const at = this.#at(offset);
      const empty: Node = { ...at, kind: "scalar", value: null, text: "" };
      const node = value === null ? empty : this.node(value, depth + 1);
      if (node === undefined) continue;
      if (name.text === "<<") merges.push(...(node.kind === "list" ? node.items : [node]));
      else entries.set(name.text, { at, node });
    }
    for (const its of merges) {
      if (its.kind !== "mapping") {
        this.mistakes.push(`${placeText(its)}: << takes a mapping, or a list of them`);
        continue;
      }
      for (const [key, entry] of its.entries) if (!entries.has(key)) entries.set(key, entry);
    }
    return entries;
  }

  #aliased(name: string, offset: number): Node | undefined {
    if (!this.#anchors.has(name)) return this.wrong(offset, `no anchor &${name} before *${name}`);
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) return this.wrong(offset, `*${name} is within &${name} itself`);
    return this.#isRoomFor(anchored.size, offset) ? anchored.node : undefined;
  }

  #isRoomFor(size: number, offset: number): boolean {
    this.#size += size;
    if (this.#size <= mostNodes) return true;
    if (!this.#stopped) this.wrong(offset, `more than ${mostNodes} values, with those of aliases`);
    this.#stopped = true;
    return false;
  }

  #at(offset: number): At {
    return { file: this.#file, line: this.#lineAt(offset) };
  }
}
