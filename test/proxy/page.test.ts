import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { html } from "../../src/proxy/pages/html.ts";
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

test("a page loads again only where it was asked to", () => {
  expect(fieldOf("Refresh")).toBeUndefined();
  expect(pageReply({ ...page, refresh: 5 }).fields).toContainEqual(["Refresh", "5"]);
  // In a sandbox without scripts browsers ignore this one.
  expect(pageReply({ ...page, refresh: 5 }).body).not.toContain("http-equiv");
});

test("the title is escaped", () => {
  expect(pageReply(page).body).toContain("<title>A &lt;title&gt;</title>");
});
