/** A title and a body -> a whole HTML page, as a reply. Pure. */
import { Html, html } from "./html.ts";
import { pagePolicy, pageStyle } from "./page-style.ts";
import type { Reply } from "./reply.ts";

export type Page = {
  status: number;
  title: string;
  /** Stands beside our name at the top. */
  aside: Html;
  body: Html;
  /** Seconds. Without a script, loading again is the only way to follow what is running. */
  refresh?: number;
};

/** Whole, because its hash in the policy is that of every character between the tags. */
const style = new Html(`<style>${pageStyle}</style>`);

export function pageReply(page: Page): Reply {
  const refresh =
    page.refresh === undefined
      ? undefined
      : html`<meta http-equiv="refresh" content="${page.refresh}" /> `;
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${refresh}
        <title>${page.title}</title>
        ${style}
      </head>
      <body>
        <header><strong>localhostess</strong> ${page.aside}</header>
        <main>${page.body}</main>
      </body>
    </html> `;
  return {
    status: page.status,
    fields: [
      ["Content-Type", "text/html; charset=utf-8"],
      ["Content-Security-Policy", pagePolicy],
      ["Referrer-Policy", "no-referrer"],
    ],
    body: document.markup,
  };
}
