/** Values with URLs inside: which parts are URLs, and which are text. */
import { expect, test } from "bun:test";
import { mapCookie, mapLinks, mapRefresh } from "../../../src/proxy/upstream/mapped-values.ts";

const map = (text: string): string | undefined =>
  text.startsWith("U") ? `V${text.slice(1)}` : undefined;

test.each([
  ["0; url=U/a", "0; url=V/a"],
  ["0;url=U/a", "0;url=V/a"],
  ["5.5 , URL = 'U/a'", "5.5 , URL = 'V/a'"],
  ['0; url="U/a"; more', '0; url="V/a"; more'],
  ["0; url='U", "0; url='V"],
  ["0; U/a", "0; V/a"],
  ["0 U/a", "0 V/a"],
])("the URL in the Refresh %s is mapped", (value, mapped) => {
  expect(mapRefresh(value, map)).toBe(mapped);
});

test.each(["0", "5;", "U/a", "url=U/a", "0U/a", "0; url=X U/a", "0; url='X' U/a", ""])(
  "the Refresh %s has no such URL",
  (value) => {
    expect(mapRefresh(value, map)).toBeUndefined();
  },
);

test.each([
  ["<U/a>", "<V/a>"],
  ["<U/a>;rel=x,<U/b>; rel=y", "<V/a>;rel=x,<V/b>; rel=y"],
  ["<X>, <U/a,b;c>", "<X>, <V/a,b;c>"],
  ['<U>; title="a, <U>", <U>', '<V>; title="a, <U>", <V>'],
  ['<U>; title="a \\" <U>"; x="\\\\", <U>', '<V>; title="a \\" <U>"; x="\\\\", <V>'],
  ['<X>; anchor="U/a"; rel="U/rel"', '<X>; anchor="V/a"; rel="U/rel"'],
  ['<X>;Anchor = "U"', '<X>;Anchor = "V"'],
  ['<X>; myanchor="U", <U>', '<X>; myanchor="U", <V>'],
  ['<U>; title="never ends, <U>', '<V>; title="never ends, <U>'],
  ["<U>, <U/never ends", "<V>, <U/never ends"],
])("the targets in the Link %s are mapped", (value, mapped) => {
  expect(mapLinks(value, map)).toBe(mapped);
});

test.each(["", "U", '"<U>"', "<X>", "<never", '"never', '"\\'])("a Link of %s stays", (value) => {
  expect(mapLinks(value, map)).toBeUndefined();
});

const domain = (text: string): string | undefined =>
  ({ mine: "yours", whole: "" })[text.toLowerCase()];

test.each([
  ["a=1; Domain=mine", "a=1; Domain=yours"],
  ["a=1;domain=MINE;Path=/", "a=1;domain=yours;Path=/"],
  ["a=1; Path=/; DOMAIN = mine ; Secure", "a=1; Path=/; DOMAIN =yours; Secure"],
  ["a=1; Domain=whole; Path=/", "a=1; Path=/"],
  ["a=1; Path=/; Domain=whole", "a=1; Path=/"],
  ["a=1; Domain=mine; Domain=whole", "a=1; Domain=yours"],
  ["Domain=mine; Domain=mine", "Domain=mine; Domain=yours"],
  ["; Domain=mine", "; Domain=yours"],
])("the Domain in the cookie %s is mapped", (value, mapped) => {
  expect(mapCookie(value, domain)).toBe(mapped);
});

test.each(["", "a=1", "Domain=mine", "a=1; Domain=other", "a=1; Domain", "a=1; xDomain=mine"])(
  "the cookie %s stays",
  (value) => {
    expect(mapCookie(value, domain)).toBeUndefined();
  },
);

test("64 KiB of anything take no time", () => {
  const began = performance.now();
  for (const piece of [
    '"',
    '\\"',
    '"\\',
    "<",
    "<>",
    ";",
    "; domain=",
    " ",
    "\t;",
    "0",
    "=",
    "anchor=",
  ]) {
    const text = piece.repeat(65_536 / piece.length);
    for (const value of [text, `<U>${text}`, `0${text}`, `a=1; domain=${text}x`]) {
      mapLinks(value, map);
      mapRefresh(value, map);
      mapCookie(value, domain);
    }
  }
  expect(performance.now() - began).toBeLessThan(2_000);
});
