import { expect, test } from "bun:test";
import { html } from "../../src/text/html.ts";

test("what is put in is shown and never read as markup", () => {
  const name = `<b a="1" c='2'>&`;
  expect(html`<i title="${name}">${name}</i>`.markup).toBe(
    '<i title="&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;">&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;</i>',
  );
});

test("markup made by html goes in as it is, lists are joined, undefined is nothing", () => {
  const items = ["a", "<"].map((item) => html`<i>${item}</i>`);
  expect(html`<b>${items}</b>${undefined}${3}`.markup).toBe("<b><i>a</i><i>&lt;</i></b>3");
});

test("control characters, line breaks and direction overrides are spelt out", () => {
  expect(html`${"\x1b[31m\0\r\n\u202e\x9b"}`.markup).toBe(
    String.raw`\x1b[31m\x00\x0d\x0a\u202e\x9b`,
  );
});
