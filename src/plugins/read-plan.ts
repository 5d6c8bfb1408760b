/** An answer of a plugin, as its component gives it -> a plan, or every error in its shape. Pure. */
import { shown } from "../text/shown.ts";
import type {
  Diagnostics,
  Entries,
  Expression,
  Operation,
  Plan,
  Selector,
  Step,
  Value,
} from "./plan.ts";

export type ReadPlan =
  { kind: "plan"; plan: Plan } | { kind: "mistakes"; mistakes: readonly string[] };

export type Applied = ReadPlan | { kind: "diagnostics"; diagnostics: Diagnostics };

/** The result of `apply`: `{ tag: "ok", val: plan }`, or `{ tag: "err", val: diagnostics }`. */
export function readApplied(value: unknown): Applied {
  const { tag, val } = objectOf(value);
  if (tag === "ok") return readPlan(val);
  if (tag !== "err") return { kind: "mistakes", mistakes: ["apply has given no result"] };
  const { warnings, errors } = objectOf(val);
  return {
    kind: "diagnostics",
    diagnostics: { warnings: textsOf(warnings), errors: textsOf(errors) },
  };
}

/** Records are objects with keys in camelCase, variants `{ tag, val }`. Whole numbers may also be texts of digits. */
export function readPlan(value: unknown): ReadPlan {
  const reader = new PlanReader();
  const plan = reader.plan(value);
  const { mistakes } = reader;
  return mistakes.length > 0 ? { kind: "mistakes", mistakes } : { kind: "plan", plan };
}

/** Words of a component by which another interface calls the same. */
const otherTags: Readonly<Record<string, string>> = {
  none: "null",
  bool: "boolean",
  string: "text",
};

class PlanReader {
  readonly mistakes: string[] = [];

  plan(value: unknown): Plan {
    const { irVersion, requestedCapabilities, steps } = objectOf(value);
    return {
      irVersion: this.#number(irVersion, "irVersion"),
      requestedCapabilities: this.#texts(requestedCapabilities, "requestedCapabilities"),
      steps: this.#list(steps, "steps").map((step, index) => this.#step(step, `steps[${index}]`)),
    };
  }

  #step(value: unknown, at: string): Step {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#wrong(at, "a step", value);
      return { id: "", needs: [], operation: { kind: "allocate-port", name: "" } };
    }
    const { id, needs, op } = objectOf(value);
    return {
      id: this.#text(id, `${at}.id`),
      needs: this.#texts(needs, `${at}.needs`),
      operation: this.#operation(op, `${at}.op`),
    };
  }

  #operation(value: unknown, at: string): Operation {
    const { tag, val } = objectOf(value);
    const its = objectOf(val);
    const text = (key: string): string => this.#text(its[key], `${at}.${key}`);
    const entries = (key: string): Entries => this.#entries(its[key] ?? [], `${at}.${key}`);
    switch (tag) {
      case "declare-service":
        return {
          kind: tag,
          name: text("name"),
          runtime: text("runtime"),
          settings: entries("settings"),
        };
      case "allocate-port":
        return { kind: tag, name: text("name") };
      case "oci-pull":
        return { kind: tag, image: text("image") };
      case "render-template":
        return { kind: tag, template: text("template"), values: entries("values") };
      case "write-file": {
        const path = this.#wrapped(its.path, `${at}.path`);
        return { kind: tag, path, contents: this.#expression(its.contents, `${at}.contents`) };
      }
    }
    this.#wrong(at, "an operation", tag ?? value);
    return { kind: "allocate-port", name: "" };
  }

  #entries(value: unknown, at: string): Entries {
    return this.#list(value, at).map((pair, index) => {
      const [key, its] = Array.isArray(pair) ? pair : [];
      const name = this.#text(key, `${at}[${index}]`);
      return [name, this.#expression(its, `${at}[${index}]`)] as const;
    });
  }

  /** A text alone is a literal. */
  #expression(value: unknown, at: string): Expression {
    if (typeof value === "string") return { kind: "literal", value: { kind: "text", value } };
    const { tag, val } = objectOf(value);
    if (tag === "lit") return { kind: "literal", value: this.#value(val, at) };
    if (tag !== "get") this.#wrong(at, '"lit" or "get"', tag ?? value);
    const { stepId, path } = objectOf(val);
    if (tag !== "get") return { kind: "get", stepId: "", path: [] };
    const selectors = this.#list(path, `${at}.path`).map((its) =>
      this.#selector(its, `${at}.path`),
    );
    return { kind: "get", stepId: this.#text(stepId, `${at}.stepId`), path: selectors };
  }

  #selector(value: unknown, at: string): Selector {
    const { tag, val } = objectOf(value);
    if (tag === "field") return { field: this.#text(val, at) };
    if (tag === "index") return { index: this.#number(val, at) };
    this.#wrong(at, '"field" or "index"', tag ?? value);
    return { index: 0 };
  }

  #value(value: unknown, at: string): Value {
    const { tag: word, val } = objectOf(value);
    const tag = Object.hasOwn(otherTags, String(word)) ? otherTags[String(word)] : word;
    switch (tag) {
      case "null":
        return { kind: tag };
      case "boolean":
        if (typeof val !== "boolean") this.#wrong(at, "true or false", val);
        return { kind: tag, value: val === true };
      case "text":
        return { kind: tag, value: this.#text(val, at) };
      case "signed":
      case "unsigned":
        return { kind: tag, value: this.#whole(val, at) };
      case "float":
        return { kind: tag, value: this.#number(val, at) };
      case "bytes":
        return { kind: tag, value: this.#bytes(val, at) };
      case "path":
      case "url":
      case "datetime":
        return { kind: tag, value: this.#wrapped(val, at) };
    }
    this.#wrong(at, "a value", tag ?? value);
    return { kind: "null" };
  }

  /** A text, or a record that has it as its `value`. */
  #wrapped(value: unknown, at: string): string {
    return this.#text(typeof value === "string" ? value : objectOf(value).value, at);
  }

  #text(value: unknown, at: string): string {
    if (typeof value === "string") return value;
    this.#wrong(at, "a text", value);
    return "";
  }

  #number(value: unknown, at: string): number {
    if (typeof value === "number") return value;
    this.#wrong(at, "a number", value);
    return 0;
  }

  #whole(value: unknown, at: string): bigint {
    if (typeof value === "bigint") return value;
    if (Number.isSafeInteger(value)) return BigInt(value as number);
    // JSON has no whole numbers of 64 bits: the longest has 20 characters.
    if (typeof value === "string" && /^-?[0-9]{1,20}$/.test(value)) return BigInt(value);
    this.#wrong(at, "a whole number", value);
    return 0n;
  }

  #bytes(value: unknown, at: string): Uint8Array {
    if (value instanceof Uint8Array) return value;
    const isByte = (its: unknown): its is number =>
      Number.isInteger(its) && (its as number) >= 0 && (its as number) <= 255;
    if (Array.isArray(value) && value.every(isByte)) return Uint8Array.from(value);
    this.#wrong(at, "bytes", value);
    return new Uint8Array();
  }

  #texts(value: unknown, at: string): string[] {
    return this.#list(value, at).map((its, index) => this.#text(its, `${at}[${index}]`));
  }

  #list(value: unknown, at: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.#wrong(at, "a list", value);
    return [];
  }

  #wrong(at: string, what: string, value: unknown): void {
    const got = value === undefined ? "nothing" : shown(value);
    this.mistakes.push(`${at}: expected ${what}, got ${got}`);
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((its) => typeof its === "string") : [];
}
