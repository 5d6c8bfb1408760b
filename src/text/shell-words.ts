/** Words as a program is given them -> text by which a shell gives it the same. Pure. */
import { unprintable } from "./unprintable.ts";

/** zsh takes `=word` for the path of a program. */
const plain = /^(?!=)[\w@%+=:,./-]+$/;

/** One word alone is a command already: `"bun dev && echo done"`. */
export function shellCommand(words: readonly string[]): string {
  const [first] = words;
  return words.length === 1 ? first! : words.map(shellWord).join(" ");
}

/** For any POSIX shell that reads it as it is. */
export function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * For a person who pastes it from a terminal or a page into a shell. Characters that are not seen, or that a terminal
 * acts on, are written as `$'\033'`: bash, zsh, ksh and POSIX 2024 (section 2.2.4) read that, and other shells do no harm by it.
 */
export function pastedWord(word: string): string {
  if (!unprintable.test(word)) return shellWord(word);
  const escaped = [...word].map((character) => {
    if (character === "'" || character === "\\") return `\\${character}`;
    if (!unprintable.test(character)) return character;
    return [...new TextEncoder().encode(character)].map((octet) => `\\${octal(octet)}`).join("");
  });
  return `$'${escaped.join("")}'`;
}

/** Three digits, as a digit may follow. */
function octal(octet: number): string {
  return octet.toString(8).padStart(3, "0");
}

/** PowerShell takes each of these for the quote that ends what any of them began. */
const powershellQuotes = /['\u2018\u2019\u201a\u201b]/g;

/** A literal string of PowerShell's: within its single quotes nothing but a quote has a meaning, which is doubled. */
export function powershellWord(word: string): string {
  return `'${word.replace(powershellQuotes, "$&$&")}'`;
}
