/** Commands of a compose service -> one text, in which variables are ours. Pure. */
import { shellWord } from "../../text/shell-words.ts";
import { splitWords } from "../../text/split-words.ts";
import { given } from "../read/variables.ts";
import type { Part } from "../reference.ts";
import type { Context, ServiceFacts } from "./context.ts";
import { commandText, composeParts, filledNow, variablesIn } from "./interpolate.ts";
import { scalarText } from "./load.ts";
import type { Entry, Node } from "./yaml.ts";

/** A command as one text: a list has words, and a text is split into them as a shell does. */
export function wordsOf(
  entry: Entry,
  { facts, none }: Pick<Context, "facts" | "none">,
): string | undefined {
  const { node } = entry;
  const isList = node.kind === "list";
  const words: string[] = [];
  for (const item of isList ? node.items : [node]) {
    const its = scalarText(item);
    if (its === undefined || its.includes("\0")) {
      none("command", entry);
      return undefined;
    }
    const parts = composeParts(its);
    const quoted = parts.map((part) => (typeof part === "string" ? quotable(part) : part));
    const isText = variablesIn(parts).length === 0;
    const text = isText && isList ? undefined : referring(isList ? quoted : parts, facts);
    const filled = filledNow(parts, facts.variables);
    if (isList) words.push(text === undefined ? commandWord(filled) : `'${text}'`);
    else words.push(text ?? filled);
  }
  const text = words.join(" ").trim();
  if (splitWords(text).kind === "words") return text;
  none("command", entry, "its quotes do not fit");
  return undefined;
}

/** A word that stays as it is, also where it looks like a reference. */
function commandWord(word: string): string {
  return shellWord(commandText([word], () => "shell") ?? word);
}

/** Within single quotes. */
function quotable(text: string): string {
  return text.replaceAll("'", `'\\''`);
}

/** Undefined where it can only be written with the values of now. */
function referring(parts: readonly Part[], facts: ServiceFacts): string | undefined {
  if (variablesIn(parts).some((name) => given.includes(name))) return undefined;
  return commandText(parts, scopeIn(facts));
}

/** The shell's where the service itself may have another value. */
function scopeIn({ dotenv }: Pick<ServiceFacts, "dotenv">) {
  return (name: string): "service" | "shell" => (dotenv.has(name) ? "service" : "shell");
}

/** A command of a check: for a shell, or words that one takes as they are. */
export function shellText(
  { node, isShell }: { node: Node; isShell: boolean },
  facts: ServiceFacts,
) {
  if (!isShell) {
    return wordsOf({ at: node, node }, { facts, none: () => undefined });
  }
  const its = scalarText(node);
  if (its === undefined || its.includes("\0")) return undefined;
  const parts = composeParts(its);
  return referring(parts, facts) ?? filledNow(parts, facts.variables);
}
