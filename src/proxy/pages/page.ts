/** A title and a body -> a whole HTML page, as a reply. Pure. */
import { Html, html } from "../../text/html.ts";
import { pageStyle } from "../../text/page-look.ts";
import { formPolicy, pagePolicy, watchPolicy } from "./page-style.ts";
import type { Reply } from "./reply.ts";
import { watchScript } from "./watching.ts";

export type Page = {
  status: number;
  title: string;
  /** Shown beside our name at the top. */
  aside: Html;
  body: Html;
  /** True if the body has a `watchLine` with a mark: the page loads itself again when there is news. */
  watches?: boolean;
  /** True if the body has forms, whose actions are at the same origin. */
  form?: boolean;
};

/** The whole elements: the hashes in the policies cover every character between the tags. */
const script = new Html(`<script>${watchScript}</script>`);
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
        ${page.watches ? script : undefined}
      </body>
    </html> `;
  const fields: [string, string][] = [
    ["Content-Type", "text/html; charset=utf-8"],
    ["Content-Security-Policy", policyOf(page)],
    // A form without a referrer says nothing of where it comes from, and is taken for another site's.
    ["Referrer-Policy", page.form ? "same-origin" : "no-referrer"],
  ];
  return { status: page.status, fields, body: document.markup };
}

function policyOf({ watches, form }: Page): string {
  if (form) return formPolicy;
  return watches ? watchPolicy : pagePolicy;
}
