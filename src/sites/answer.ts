/** The answers of a site: a status, its fields, and a body that is made of bytes and of parts of files. */
import type { Cancel } from "../system/clock.ts";
import type { InsideFile } from "../system/folder-door.ts";
import type { Part } from "./ranges.ts";

export type Segment = Uint8Array | ({ file: InsideFile } & Part);

/** A body: its segments, one after another. */
export type Content = { segments: readonly Segment[]; length: number };

/** Where a stream of events is written to. */
export interface Sink {
  write(text: string): void;
  /** Bytes that the reader has not taken yet. */
  readonly pending: number;
  end(): void;
}

export type SiteAnswer = {
  status: number;
  fields: readonly (readonly [name: string, value: string])[];
  /** Undefined: there is none, and no length of one (304). */
  content?: Content | undefined;
  /** In the place of a content: goes on until the reader has gone. What it returns is called once, then. */
  stream?(sink: Sink): Cancel;
  /** Releases the files. Called once, whatever became of the answer. */
  close?(): void;
};

export const noContent: Content = { segments: [], length: 0 };

export function contentOf(text: string | Uint8Array): Content {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return { segments: [bytes], length: bytes.length };
}

export function joined(segments: readonly Segment[]): Content {
  return { segments, length: segments.reduce((sum, its) => sum + lengthOf(its), 0) };
}

/** The segments of a part. */
export function partOf({ segments }: Content, { from, to }: Part): Segment[] {
  const found: Segment[] = [];
  let at = 0;
  for (const its of segments) {
    const length = lengthOf(its);
    const [first, last] = [Math.max(0, from - at), Math.min(length, to - at)];
    at += length;
    if (first >= last) continue;
    if (its instanceof Uint8Array) found.push(its.subarray(first, last));
    else found.push({ file: its.file, from: its.from + first, to: its.from + last });
  }
  return found;
}

export function lengthOf(its: Segment): number {
  return its instanceof Uint8Array ? its.length : its.to - its.from;
}
