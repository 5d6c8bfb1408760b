/** The words of a command -> text that a shell reads as the same words. Pure. */
import { unprintable } from "./unprintable.ts";

/** zsh takes `=word` for the path of a program. */
const plain = /^(?!=)[\w@%+=:,./-]+$/;

/** A single word is a shell command already: `"bun dev && echo done"`. */
export function shellCommand(words: readonly string[]): string {
  const [first] = words;
  return words.length === 1 ? first! : words.map(shellWord).join(" ");
}

/** For any POSIX shell that reads the text unchanged. */
export function shellWord(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * For a person who pastes it from a terminal or a page into a shell. Characters that are invisible, or that a terminal
 * acts on, are written as `$'\033'`: bash, zsh, ksh and POSIX 2024 (section 2.2.4) read that; in other shells it is
 * harmless.
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

/** Each of these ends a string of PowerShell that any of them began. */
const powershellQuotes = /['\u2018\u2019\u201a\u201b]/g;

/** A literal string of PowerShell's: within single quotes only a quote has a meaning, and is doubled. */
export function powershellWord(word: string): string {
  return `'${word.replace(powershellQuotes, "$&$&")}'`;
}
