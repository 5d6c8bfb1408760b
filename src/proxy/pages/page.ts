/** A title and a body -> a whole HTML page, as a reply. Pure. */
import { Html, html } from "./html.ts";
import { pagePolicy, pageStyle } from "./page-style.ts";
import type { Reply } from "./reply.ts";

export type Page = {
  status: number;
  title: string;
  /** Shown beside our name at the top. */
  aside: Html;
  body: Html;
  /** Seconds. Without scripts, reloading is the only way to show what changes. */
  refresh?: number;
};

/** The whole element: the hash in the policy covers every character between the tags. */
const style = new Html(`<style>${pageStyle}</style>`);

export function pageReply(page: Page): Reply {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${page.title}</title>
        ${style}
      </head>
      <body>
        <header><strong>localhostess</strong> ${page.aside}</header>
        <main>${page.body}</main>
      </body>
    </html> `;
  const fields: [string, string][] = [
    ["Content-Type", "text/html; charset=utf-8"],
    ["Content-Security-Policy", pagePolicy],
    ["Referrer-Policy", "no-referrer"],
  ];
  // A header field and not a <meta> element, which browsers ignore in a sandbox without scripts.
  if (page.refresh !== undefined) fields.push(["Refresh", String(page.refresh)]);
  return { status: page.status, fields, body: document.markup };
}
