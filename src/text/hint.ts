/** A sentence about a failure -> the part of it that says what to do: a command, or the word that was meant. Pure. */

/** A command, up to the end of its part of the sentence. Without such words before it, it is only spoken of. */
const command = /(?<=: |\b(?:run|use|try) )(?:localhostess [a-z]|NAME=)[^;,\n)]*/g;

/** The last command: a sentence ends with what helps. Null where nothing is advised. */
export function hintIn(sentence: string): string | null {
  const found = sentence.match(command)?.at(-1) ?? /\bdid you mean [^;\n]+\?/i.exec(sentence)?.[0];
  return found?.trim() ?? null;
}
