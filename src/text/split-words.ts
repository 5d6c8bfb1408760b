/** A command as a person writes it -> its words, as a POSIX shell splits them. Pure. */

export type SplitWords =
  | { kind: "words"; words: readonly string[] }
  /** `why` is a clause about the command. */
  | { kind: "bad"; why: string };

/** Characters that a backslash takes its meaning from within double quotes. POSIX, Shell Command Language, 2.2.3. */
const escapable = '$`"\\\n';

/**
 * Quotes and backslashes mean what they mean to a shell. Nothing is expanded, and operators are ordinary characters:
 * there is no shell. A command that wants one begins with it: `sh -c "..."`.
 */
export function splitWords(command: string): SplitWords {
  const words: string[] = [];
  /** Undefined between two words: an empty pair of quotes is a word. */
  let word: string | undefined;
  let quote: "'" | '"' | undefined;
  for (let at = 0; at < command.length; at++) {
    const character = command[at]!;
    if (quote === "'") {
      if (character === "'") quote = undefined;
      else word += character;
    } else if (character === "\\") {
      const next = command[at + 1];
      if (next === undefined) return { kind: "bad", why: "it ends in a backslash" };
      at++;
      if (next === "\n") continue;
      word = (word ?? "") + (quote === '"' && !escapable.includes(next) ? `\\${next}` : next);
    } else if (quote === '"') {
      if (character === '"') quote = undefined;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) {
      const end = command.indexOf("\n", at);
      at = end === -1 ? command.length : end - 1;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) return { kind: "bad", why: `its quote ${quote} has no end` };
  if (word !== undefined) words.push(word);
  return { kind: "words", words };
}
