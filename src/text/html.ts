/** Text that strangers chose -> HTML that shows the text and nothing else. Pure. */
import { printable } from "./printable.ts";

/** Markup that is safe to send. Only `html` creates it, so nothing reaches a page unescaped. */
export class Html {
  constructor(readonly markup: string) {}
}

type Part = string | number | Html | undefined | readonly Part[];

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(markupOf).join("");
  return printable(String(part)).replace(/[&<>"']/g, (character) => entities[character]!);
}

/**
 * Escapes every interpolation, in text and in quoted attributes. Lists are joined; undefined becomes an empty string.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = strings[0]!;
  for (const [index, part] of parts.entries()) markup += markupOf(part) + strings[index + 1]!;
  return new Html(markup);
}
