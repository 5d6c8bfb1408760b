/** The value of a field with URLs or hosts in it -> the same with each of them mapped. Pure. */

/** The mapped text; undefined if it stays as it is. */
export type MapText = (text: string) => string | undefined;

/** `5; url='http://api.localhost/'`, as browsers read it: HTML, section 4.2.5.3, "shared declarative refresh steps". */
const refresh = /^([\d.]+(?:[ \t]*[;,][ \t]*|[ \t]+)(?:url[ \t]*=[ \t]*)?(["']?))(.*)$/is;

export function mapRefresh(value: string, map: MapText): string | undefined {
  const found = refresh.exec(value);
  if (found === null) return undefined;
  const [, before, quote, rest] = found as unknown as [string, string, string, string];
  const end = quote === "" ? -1 : rest.indexOf(quote);
  const url = end === -1 ? rest : rest.slice(0, end);
  const mapped = map(url);
  return mapped === undefined ? undefined : `${before}${mapped}${rest.slice(url.length)}`;
}

/**
 * A Link's targets and anchors, RFC 8288 section 3. Everything else in quotes, such as a title, is text; and relation
 * types are identifiers, even where they are URLs.
 */
export function mapLinks(value: string, map: MapText): string | undefined {
  let out = "";
  let copied = 0;
  const replace = (start: number, end: number): void => {
    const mapped = map(value.slice(start, end));
    if (mapped === undefined) return;
    out += value.slice(copied, start) + mapped;
    copied = end;
  };
  for (let at = 0; at < value.length; at++) {
    if (value[at] === "<") {
      const end = value.indexOf(">", at);
      if (end === -1) break;
      replace(at + 1, end);
      at = end;
    } else if (value[at] === '"') {
      const end = endOfQuoted(value, at);
      if (isAnchor(value, at)) replace(at + 1, end);
      at = end;
    }
  }
  return copied === 0 ? undefined : out + value.slice(copied);
}

/** The offset of the quote that ends the quoted string at `from`. RFC 9110 section 5.6.4. */
function endOfQuoted(value: string, from: number): number {
  let at = from + 1;
  while (at < value.length && value[at] !== '"') at += value[at] === "\\" ? 2 : 1;
  return at;
}

/** Whether the value at `at` is that of a parameter called `anchor`. */
function isAnchor(value: string, at: number): boolean {
  return /;[ \t]*anchor[ \t]*=[ \t]*$/i.test(value.slice(Math.max(0, at - 32), at));
}

/** A Set-Cookie with each Domain mapped, RFC 6265 section 5.2.3; the attribute goes if the mapped text is "". */
export function mapCookie(value: string, map: MapText): string | undefined {
  const [pair, ...attributes] = value.split(";");
  let changed = false;
  const kept = attributes.flatMap((attribute) => {
    const before = attribute.slice(0, attribute.indexOf("=") + 1);
    const isDomain = before.slice(0, -1).trim().toLowerCase() === "domain";
    const mapped = isDomain ? map(attribute.slice(before.length).trim()) : undefined;
    if (mapped === undefined) return [attribute];
    changed = true;
    return mapped === "" ? [] : [before + mapped];
  });
  return changed ? [pair, ...kept].join(";") : undefined;
}
