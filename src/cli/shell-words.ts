/** Words as a program is given them -> a command for the shell that gives it the same. Pure. */

const plain = /^[\w@%+=:,./-]+$/;

/** One word alone is a command already: `"bun dev && echo done"`. */
export function shellCommand(words: readonly string[]): string {
  const [first] = words;
  return words.length === 1 ? first! : words.map(shellWord).join(" ");
}

function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
