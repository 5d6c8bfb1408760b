/** A client's Accept field -> the form of page to send. Pure. */
import { Field } from "../../wire/field.ts";
import type { FieldLines } from "../../wire/head.ts";

export type Wants = "html" | "json" | "text";

type Range = { type: string; quality: number };

/** Commas inside quoted strings do not end a member. */
const members = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;
/** RFC 9110 section 12.4.2: 0 to 1, at most three decimals. */
const qvalue = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function rangeOf(member: string): Range | undefined {
  const [type = "", ...parameters] = member.split(";").map((part) => part.trim().toLowerCase());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return undefined;
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (weight === undefined) return { type, quality: 1 };
  return qvalue.test(weight) ? { type, quality: Number(weight) } : undefined;
}

function rangesOf(accept: string | undefined): Range[] {
  return (accept?.match(members) ?? []).map(rangeOf).filter((range) => range !== undefined);
}

/** Whether HTML is requested by name, as by a browser that loads a page, and not just by a wildcard. */
export function asksForHtml(accept: string): boolean {
  return rangesOf(accept).some(({ type, quality }) => type === "text/html" && quality > 0);
}

/** How exactly a range matches a form: 0 not at all, 1 `*\/*`, 2 `text/*`, 3 the type itself. */
function exactness(range: string, form: Wants): 0 | 1 | 2 | 3 {
  if (range === "*/*") return 1;
  if (form === "json") {
    if (range === "application/json" || range.endsWith("+json")) return 3;
    return range === "application/*" ? 2 : 0;
  }
  if (range === (form === "html" ? "text/html" : "text/plain")) return 3;
  return range === "text/*" ? 2 : 0;
}

/** In our order of preference: curl and scripts accept anything, and a terminal wants text. */
const forms: readonly Wants[] = ["text", "html", "json"];

/**
 * RFC 9110 section 12.5.1: the most exact range decides the quality of a form. Between equal qualities, the form that
 * is matched more exactly wins, then the one listed first. A client that accepts none of them gets text.
 */
export function negotiate(accept: string | undefined): Wants {
  const ranges = rangesOf(accept);
  let best: { form: Wants; quality: number; exact: number; place: number } | undefined;
  for (const form of forms) {
    let exact = 0;
    let place = -1;
    for (const [index, range] of ranges.entries()) {
      const level = exactness(range.type, form);
      if (level > exact) [exact, place] = [level, index];
    }
    const quality = ranges[place]?.quality ?? 0;
    if (quality === 0) continue;
    const better =
      best === undefined ||
      quality > best.quality ||
      (quality === best.quality &&
        (exact > best.exact || (exact === best.exact && place < best.place)));
    if (better) best = { form, quality, exact, place };
  }
  return best?.form ?? "text";
}

/** The same for a head, as far as it has been read. */
export function wantsOf(head: FieldLines, bytes: Uint8Array): Wants {
  const accept = head.find(Field.accept);
  return negotiate(accept === -1 ? undefined : head.valueOf(bytes, accept));
}
