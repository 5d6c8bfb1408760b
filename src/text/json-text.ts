/** A value -> its JSON, in which no character moves a cursor, hides or turns text where a terminal prints it. Pure. */
import { unprintable } from "./unprintable.ts";

/** JSON has the first 32 escaped already, and line breaks between its lines only. */
const unsafe = new RegExp(`(?!\\n)${unprintable.source}`, "gu");

/** Equal for whoever reads it: an escape is the character. `space`: as for `JSON.stringify`. */
export function jsonText(value: unknown, space?: number): string {
  return JSON.stringify(value, undefined, space).replace(unsafe, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
