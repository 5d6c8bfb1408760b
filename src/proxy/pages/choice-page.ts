/** A choice between the checkouts of a name, asked for by a browser -> the page of it, or the cookie. Pure. */
import {
  choicePath,
  type Origin,
  plainCheckout,
  secureUseCookie,
  useCookie,
} from "../../routes/origins.ts";
import { printable } from "../../text/printable.ts";
import { html, type Html } from "../../text/html.ts";
import type { Wants } from "./negotiate.ts";
import { pageReply } from "./page.ts";
import { jsonReply, type Reply, textReply } from "./reply.ts";

export type ChoiceMethod = "get" | "post" | "other";

export type ChoiceAsked = {
  origin: Origin;
  /** The host that the cookie is for. */
  host: string;
  secure: boolean;
  /** The label that the browser asks for so far; undefined: it sees the same as all browsers. */
  use: string | undefined;
  /** The label that it asks for from now on; "": none, as all browsers; undefined: the page is only looked at. */
  label: string | undefined;
  /** Whether there is such a worktree. */
  isKnown: boolean;
  method: ChoiceMethod;
  /** Whether the request may change anything. */
  changes: boolean;
  /** The path to go on to. */
  to: string;
};

export function choiceReply(asked: ChoiceAsked, { wants }: { wants: Wants }): Reply {
  const { method, label, isKnown, changes } = asked;
  if (method === "other") {
    const reply = textReply(405, "localhostess: this page answers GET, HEAD and POST only");
    return { ...reply, fields: [...reply.fields, ["Allow", "GET, HEAD, POST"]] };
  }
  if (label !== undefined && !isKnown) return page(asked, { wants, status: 404 });
  if (label !== undefined && changes) return chosen(asked, label);
  return page(asked, { wants, status: method === "post" ? 403 : 200 });
}

/** The cookie, and the way back. */
function chosen({ origin, secure, host, to }: ChoiceAsked, label: string): Reply {
  // Nothing is to be remembered where the plain name's own server is what all browsers see.
  const ends = label === "" || (label === plainCheckout && origin.shown === undefined);
  const reply = textReply(303, `localhostess: go on at ${to}`);
  return {
    ...reply,
    fields: [
      ...reply.fields,
      ["Location", to],
      ...widerEnded(host),
      ...cookies(ends ? undefined : label, { secure }),
      // The cache holds files of the other checkout.
      ["Clear-Site-Data", '"cache"'],
    ],
  };
}

const attributes = "Path=/; HttpOnly";
const ended = "; Max-Age=0";

/**
 * Servers under this name, as `x.shop.localhost`, may have set the cookie for all of `shop.localhost`. A browser that
 * has both sends both, so those end. A browser that does not tell them apart gets this host's afterwards.
 */
function widerEnded(host: string): (readonly [string, string])[] {
  const labels = host.split(".");
  return labels.slice(0, -1).map((_, at) => {
    const domain = labels.slice(at).join(".");
    return ["Set-Cookie", `${useCookie}=${ended}; Domain=${domain}; Path=/`];
  });
}

/**
 * For this host alone, and until the browser ends; undefined: none. By https it is sent with whatever another site may
 * ask for, as a callback by a form does: which checkout answers is no secret, and no right. The cookie of http comes by
 * https too, so both end.
 */
function cookies(
  label: string | undefined,
  { secure }: { secure: boolean },
): (readonly [string, string])[] {
  const value = label ?? ended;
  const plain = `${attributes}; SameSite=Lax`;
  if (!secure) return [["Set-Cookie", `${useCookie}=${value}; ${plain}`]];
  const own = `${secureUseCookie}=${value}; ${attributes}; Secure; SameSite=None`;
  const other = `${useCookie}=${ended}; ${plain}`;
  return label === undefined
    ? [
        ["Set-Cookie", own],
        ["Set-Cookie", other],
      ]
    : [["Set-Cookie", own]];
}

/** The value of the row that the browser sees now. */
function seen({ origin, use }: ChoiceAsked): string {
  return use ?? origin.shown ?? plainCheckout;
}

type Row = { value: string; title: string; note: string };

function rowsOf({ origin, use, host }: ChoiceAsked): Row[] {
  const { labels, versions, shown } = origin;
  const plain = { value: plainCheckout, title: "The main checkout", note: host };
  return [
    plain,
    ...labels.map((label) => ({
      value: label,
      title: label,
      note: versions.get(label) ?? "no server of this name has been seen there",
    })),
    ...(use === undefined
      ? []
      : [
          {
            value: "",
            title: "No choice",
            note: `as all browsers: ${shown ?? "the main checkout"}`,
          },
        ]),
  ];
}

function page(asked: ChoiceAsked, { wants, status }: { wants: Wants; status: number }): Reply {
  const { origin, host, label, isKnown, use, to } = asked;
  const now = seen(asked);
  if (wants === "json") {
    return jsonReply(status, {
      host,
      name: origin.name,
      worktrees: origin.labels.map((its) => ({
        label: its,
        name: origin.versions.get(its) ?? null,
      })),
      all_browsers: origin.shown ?? null,
      this_browser: use ?? null,
    });
  }
  const unknown = `There is no worktree ${printable(label ?? "", 64)}.`;
  const refused = "A page of another site asked for this change, so nothing was changed.";
  const remark =
    label === undefined
      ? undefined
      : !isKnown
        ? unknown
        : status === 403
          ? refused
          : "Nothing is changed yet.";
  if (wants === "text") {
    const lines = rowsOf(asked).map(
      ({ value, note }) => `${value === now ? "*" : " "} ${value || '""'}  ${note}`,
    );
    return textReply(
      status,
      [
        `localhostess: what ${host} shows`,
        ...lines,
        ...(remark === undefined ? [] : [remark]),
      ].join("\n"),
    );
  }
  const rows = rowsOf(asked);
  return pageReply({
    status,
    title: `What ${host} shows`,
    aside: html`<span>${host}</span>`,
    form: true,
    body: html`<h1>What ${host} shows</h1>
      ${remark === undefined ? undefined : html`<p class="warning" role="alert">${remark}</p>`}
      <p>In this browser, at this address, until the browser ends:</p>
      <ul class="services">
        ${rows.map((row) => rowOf(row, { now, to, wanted: label }))}
      </ul>
      <p class="soft">
        A cookie says so, which only localhostess sees. Other addresses of the same project have
        their own. For all browsers and all its addresses: <code>localhostess use</code>
      </p>`,
  });
}

function rowOf(
  { value, title, note }: Row,
  { now, to, wanted }: { now: string; to: string; wanted: string | undefined },
): Html {
  const query = new URLSearchParams({ worktree: value, to });
  const is = value === now;
  const button = html`<form method="post" action="${choicePath}?${query.toString()}">
    <button ${value === wanted ? html`autofocus` : undefined} aria-label="Show ${title}">
      Show
    </button>
  </form>`;
  return html`<li>
    <div class="row">
      <span class="name">${title}</span>
      ${is ? html`<span class="where">shown now</span>` : button}
    </div>
    <p class="command">${note}</p>
  </li>`;
}
