/** A title and a body -> a page of our own in the place of a file, or a line of text where no page is wanted. */
import { Html, html } from "../text/html.ts";
import { pageStyle } from "../text/page-look.ts";
import { contentOf, noContent, type SiteAnswer } from "./answer.ts";
import { scriptTag } from "./reload-script.ts";
import { type SiteRequest, wantsPage } from "./site-request.ts";

export type SitePage = {
  status: number;
  title: string;
  /** Shown beside our name at the top. */
  aside: string;
  body: Html;
  /** Loaded again when the site changes. */
  reload: boolean;
};

/** The hash in the policy covers every character between the tags. */
const style = new Html(`<style>${pageStyle}</style>`);
const digest = new Bun.CryptoHasher("sha256").update(pageStyle).digest("base64");

function policyOf({ reload }: SitePage): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${digest}'`,
    "base-uri 'none'",
    "form-action 'none'",
    ...(reload ? ["script-src 'self'", "connect-src 'self'"] : []),
  ].join("; ");
}

export function sitePage(page: SitePage): SiteAnswer {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${page.title}</title>
        ${page.reload ? new Html(scriptTag) : undefined} ${style}
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
      ["Content-Security-Policy", policyOf(page)],
      ["Referrer-Policy", "no-referrer"],
      ...plainFields,
    ],
    content: contentOf(document.markup),
  };
}

/** Fields of every answer that is no file: what a person mends is seen at once. */
export const plainFields = [
  ["Cache-Control", "no-cache"],
  ["X-Content-Type-Options", "nosniff"],
] as const;

export type Refusal = {
  status: number;
  title: string;
  /** Sentences. */
  what: readonly (string | Html)[];
  aside: string;
  reload: boolean;
  fields?: SiteAnswer["fields"];
};

/** The reason why there is no file. */
export function refused(request: SiteRequest, { what, title, ...its }: Refusal): SiteAnswer {
  const fields = [...(its.fields ?? []), ["Vary", "Accept"] as const];
  if (!wantsPage(request) || !/text\/html/.test(request.field("accept") ?? "")) {
    const text = [title, ...what].map((one) => (one instanceof Html ? "" : one)).filter(Boolean);
    return {
      status: its.status,
      fields: [["Content-Type", "text/plain; charset=utf-8"], ...plainFields, ...fields],
      content: contentOf(`${text.join("\n")}\n`),
    };
  }
  const body = html`<h1>${title}</h1>
    ${what.map((one) => html`<p>${one}</p>`)}`;
  const page = sitePage({ ...its, title, body });
  return { ...page, fields: [...page.fields, ...fields] };
}

export function bare(status: number, fields: SiteAnswer["fields"] = []): SiteAnswer {
  return { status, fields: [...plainFields, ...fields], content: noContent };
}
