/** An order to a child, and its answer: shapes, and both ways through JSON. */
import type { PluginRequest } from "./plan.ts";

export type ChildOrder =
  | {
      kind: "transpile";
      /** Absolute: the component, and the hash that its bytes must have. */
      path: string;
      sha256: string;
      /** Absolute: the transpiler. */
      transpiler: string;
      /** Absolute: where the outcome is to be. */
      folder: string;
    }
  | {
      kind: "call";
      /** Absolute: a transpiled component. */
      folder: string;
      requests: readonly PluginRequest[];
    };

export type ChildAnswer =
  | { kind: "transpiled" }
  /** One for each request. */
  | { kind: "answers"; values: readonly unknown[] }
  /** A file of the folder that it was to use is missing, or is another one. */
  | { kind: "damaged"; folder: string }
  | { kind: "ended"; why: string };

/** Bytes of an answer. */
export const longestAnswer = 1024 * 1024;

/** A number of 64 bits as digits, octets as a list of numbers. */
export function asJson(value: ChildOrder | ChildAnswer): string {
  return JSON.stringify(value, (_, its: unknown) => {
    if (typeof its === "bigint") return String(its);
    return its instanceof Uint8Array ? [...its] : its;
  });
}

/** Undefined: our own program would not have said this. */
export function answerIn(text: string): ChildAnswer | undefined {
  try {
    const value = JSON.parse(text) as ChildAnswer | null;
    return typeof value?.kind === "string" ? value : undefined;
  } catch {
    // The sentence of the caller says so.
    return undefined;
  }
}
