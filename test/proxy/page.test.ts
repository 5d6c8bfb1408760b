import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { html } from "../../src/text/html.ts";
import { pageReply } from "../../src/proxy/pages/page.ts";

const page = { status: 200, title: "A <title>", aside: html`1.0`, body: html`<h1>Hello</h1>` };
const fieldOf = (name: string): string | undefined =>
  pageReply(page).fields.find(([field]) => field === name)?.[1];

test("the policy allows exactly the style that the page has", () => {
  const style = pageReply(page).body.match(/<style>([\s\S]*?)<\/style>/)![1]!;
  const hash = createHash("sha256").update(style).digest("base64");
  expect(fieldOf("Content-Security-Policy")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox allow-downloads`,
  );
});

test("a page fetches nothing, runs nothing and tells nobody where it was", () => {
  const { body } = pageReply(page);
  expect(body).not.toMatch(/<script|<link|<img|url\(|@import|\son\w+=|\sstyle=/i);
  expect(fieldOf("Referrer-Policy")).toBe("no-referrer");
  expect(fieldOf("Content-Type")).toBe("text/html; charset=utf-8");
});

test("a page that waits for news has one script, which its policy names, and still no origin", () => {
  const { body, fields } = pageReply({ ...page, watches: true });
  const script = body.match(/<script>([\s\S]*?)<\/script>/)![1]!;
  expect(body.match(/<script/g)).toHaveLength(1);
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = new Map(fields).get("Content-Security-Policy")!;
  expect(policy).toContain(`script-src 'sha256-${hash}'; connect-src 'self'; sandbox`);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("allow-same-origin");
  expect(fields.map(([name]) => name)).not.toContain("Refresh");
  expect(fieldOf("Content-Security-Policy")).not.toMatch(/script|connect/);
});

test("the title is escaped", () => {
  expect(pageReply(page).body).toContain("<title>A &lt;title&gt;</title>");
});
