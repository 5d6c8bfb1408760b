/** A run with `--json` -> stdout with JSON only: the answer of the verb, or the error that took its place. */
import { hintIn } from "../../text/hint.ts";
import { jsonText } from "../../text/json-text.ts";
import { noColors, type Screen, type World } from "./world.ts";
import type { FailureCode } from "./failure.ts";

/** The object on stdout where there is no answer. */
export type JsonError = { error: { code: string; message: string; hint: string | null } };

/** A value in lines that a person can read, too. False once the reader is gone. */
export function printJson({ out }: Pick<World, "out">, value: unknown): boolean {
  return out.write(`${jsonText(value, 2)}\n`);
}

/** A value of a stream: one line. False once the reader is gone. */
export function printJsonLine({ out, json }: Pick<World, "out" | "json">, value: unknown): boolean {
  if (json !== undefined) json.lines = true;
  return out.write(`${jsonText(value)}\n`);
}

/** Words behind `--` belong to another program. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}

/** Characters of a message: twenty sentences. */
const longest = 10_000;

export type JsonRun = {
  world: World;
  /** Prints the error of a run that has failed without an answer. */
  finish(failure: { code: FailureCode }): void;
};

/** Follows what the run prints: the answer, and the sentences for a person, which are the message of an error. */
export function jsonRun(outside: World): JsonRun {
  let answered = false;
  let told = "";
  const json: NonNullable<World["json"]> = { lines: false, code: undefined, more: [], help: "" };
  const out: Screen = {
    ...outside.out,
    // JSON has no colors, on a terminal either.
    colors: noColors,
    columns: () => undefined,
    write(text) {
      if (text !== "") answered = true;
      return outside.out.write(text);
    },
  };
  const err: Screen = {
    ...outside.err,
    write(text) {
      told = `${told}${text}`.slice(-longest);
      return outside.err.write(text);
    },
  };
  const finish: JsonRun["finish"] = ({ code: usual }) => {
    if (answered && !json.lines) return;
    const code = json.code ?? usual;
    const { message, hint } = wordsOf(told, json.more);
    const error: JsonError = { error: { code, message: message || code, hint } };
    outside.out.write(`${jsonText(error, json.lines ? undefined : 2)}\n`);
  };
  return {
    world: {
      ...{ ...outside, out, err, json },
      exit(code) {
        if (code !== 0) finish({ code: "interrupted" });
        outside.exit(code);
      },
    },
    finish,
  };
}

/** The beginning of a sentence about a failure on stderr. */
const mark = "localhostess: ";

/** Lines for a person -> what has happened, and what to do next. Lines of talk are left out, if others are marked. */
function wordsOf(told: string, more: readonly string[]): { message: string; hint: string | null } {
  const lines = Bun.stripANSI(told).split("\n").filter(Boolean);
  const see = lines.findLast((line) => line.startsWith("see: "))?.slice("see: ".length);
  // Commander has a guess on a line of its own.
  const marked = lines.filter((line) => line.startsWith(mark) || line.startsWith("(Did you mean"));
  const talk = more.length > 0 ? [] : lines.filter((line) => !line.startsWith("see: "));
  const these = marked.length > 0 ? marked : talk;
  const sentences = these.map((line) => (line.startsWith(mark) ? line.slice(mark.length) : line));
  const message = [...sentences, ...more].join("\n").slice(0, longest);
  return { message, hint: hintIn(message) ?? see ?? null };
}
