/** A sentence about a failure -> the part of it that says what to do: a command, or the word that was meant. Pure. */

/** A word that means nothing to a shell. */
const word = String.raw`(?: (?:[\w./:@=~+%-]|'[^'\n]*')+)`;

/**
 * Commands of ours that stand behind such words; without these, the program is only spoken of. A sentence also repeats
 * texts of other programs, such as command lines: no other command is taken from it, and none that a shell would see
 * more in.
 */
const command = new RegExp(
  String.raw`(?<=: |\b(?:run|use|try) )(?:localhostess${word}+?|NAME=[\w.-]+ bun dev)(?=$|[;,)\n]| or | \()`,
  "g",
);

/** Verbs that run the words behind them, at any place: options may stand before the verb. Quotes hide nothing. */
const runs = /^localhostess (?:.* )?(?:run|try|browser)(?: |$)/;

/** Words that our own sentences put behind such a verb. */
const example = / -- bun (?:dev|test)$/;

/**
 * A program may follow a hint without a look at it, and the name of a process or a folder may read like advice: so no
 * hint runs words that others have chosen.
 */
function isOurs(found: string): boolean {
  return !runs.test(found.replaceAll("'", "")) || example.test(found);
}

/** The last command: a sentence ends with what helps. Null where nothing is advised. */
export function hintIn(sentence: string): string | null {
  const found =
    sentence.match(command)?.findLast(isOurs) ?? /\bdid you mean [^;\n]+\?/i.exec(sentence)?.[0];
  return found?.trim() ?? null;
}
