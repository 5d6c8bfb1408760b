/** Requests outside the API -> the page, its parts, and the sign-in of a browser. */
import type { Headers, WholeAnswer } from "../control/http/answer.ts";
import type { Asked } from "../control/http/asked.ts";
import type { Page } from "../control/http/http.ts";
import { hostIn, sessionCookie } from "../control/http/gate.ts";
import { html } from "../text/html.ts";
import { pageReply } from "../proxy/pages/page.ts";
import style from "./page/style.css" with { type: "text" };
import { type Sessions, sessionLifetime, type TokenKind } from "./session.ts";

export type DashboardOptions = {
  sessions: Sessions;
  /** The page's script. */
  script(): Promise<string>;
  /** Our own fault, for the log. */
  fault(error: unknown): void;
};

/** The path of the URL that `localhostess dashboard` opens, and of its redirect to the page's own host. */
export const linkPath = "/open";
const entryPath = "/enter";

/** All parts come from this origin, nothing is inline, no other page may frame it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const document = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <meta name="color-scheme" content="light dark" />
    <title>localhostess</title>
    <link rel="icon" href="/icon.svg" />
    <link rel="stylesheet" href="/page.css" />
    <script type="module" src="/page.js"></script>
  </head>
  <body>
    <div id="app"></div>
    <noscript><p>This page needs JavaScript; <code>localhostess ls</code> does not.</p></noscript>
  </body>
</html>
`;

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="#1a9a63"/></svg>\n`;

/** The part of the daemon's HTTP door that is for browsers. */
export function dashboard(options: DashboardOptions): Page {
  const { sessions } = options;

  const tokenIn = ({ query }: Asked): string | null => new URLSearchParams(query).get("token");

  /** Uses up the token in a URL. @returns the answer if that fails. */
  function redeem(kind: TokenKind, asked: Asked): WholeAnswer | "redeemed" {
    const token = tokenIn(asked);
    // Link previews send HEAD; they must not use the token up.
    if (asked.method !== "GET" || token === null || !sessions.holds(kind, token)) return used();
    // The link was in a command line, which other users of this machine may read. They must not use it up.
    if (asked.ownClient === false) return notSignedIn("This link is another person's");
    return sessions.redeem(kind, token) ? "redeemed" : used();
  }

  /** Redirects from any of our addresses to the page's own host, which the link does not reveal. */
  function open(asked: Asked): WholeAnswer {
    const refused = redeem("link", asked);
    if (refused !== "redeemed") return refused;
    const port = asked.host?.match(/:\d+$/)?.[0] ?? "";
    const token = sessions.issue("entry");
    const Location = `http://${sessions.hostFor(token)}${port}${entryPath}?token=${token}`;
    return { status: 303, headers: { Location }, body: "" };
  }

  function enter(asked: Asked, token: string): WholeAnswer {
    const refused = redeem("entry", asked);
    if (refused !== "redeemed") return refused;
    const seconds = sessionLifetime / 1_000;
    const cookie = `${sessionCookie}=${sessions.begin(token)}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
    const site = asked.header("sec-fetch-site");
    if (site === undefined || site === "none" || site === "same-origin") {
      return { status: 303, headers: { Location: "/", "Set-Cookie": cookie }, body: "" };
    }
    // Followed from another page: browsers count that page as the initiator of a redirect, and send no strict cookie.
    const body = `<!doctype html><title>localhostess</title><meta http-equiv="refresh" content="0; url=/">\n`;
    return part("text/html; charset=utf-8", body, { "Set-Cookie": cookie });
  }

  async function script(): Promise<WholeAnswer> {
    try {
      return part("text/javascript; charset=utf-8", await options.script());
    } catch (error) {
      options.fault(error);
      return { status: 500, headers: { "Content-Type": "text/plain" }, body: "see the log\n" };
    }
  }

  const parts: Readonly<Record<string, () => WholeAnswer | Promise<WholeAnswer>>> = {
    "/": () => part("text/html; charset=utf-8", document, { "Content-Security-Policy": policy }),
    "/page.js": script,
    "/page.css": () => part("text/css; charset=utf-8", style),
    "/icon.svg": () => part("image/svg+xml", icon),
  };

  return {
    isHost: (name) => sessions.isHost(name),
    session: (value, host) => sessions.valid(value, host),
    answer(asked, { signedIn }) {
      if (asked.path === linkPath) return open(asked);
      const token = asked.path === entryPath ? tokenIn(asked) : null;
      if (token !== null && hostIn(asked) === sessions.hostFor(token)) return enter(asked, token);
      if (!signedIn)
        return asked.path === "/" ? notSignedIn("This page is not signed in") : undefined;
      return Object.hasOwn(parts, asked.path) ? parts[asked.path]!() : undefined;
    },
  };
}

function part(type: string, body: string, headers: Headers = {}): WholeAnswer {
  return { status: 200, headers: { "Content-Type": type, ...headers }, body };
}

function used(): WholeAnswer {
  return notSignedIn("This link has been used already, or is older than a minute");
}

/** For a person who has opened the page without the command. */
function notSignedIn(what: string): WholeAnswer {
  const { status, fields, body } = pageReply({
    status: 401,
    title: "Not signed in",
    aside: html`<span>the daemon’s page</span>`,
    body: html`<h1>${what}</h1>
      <p>
        It shows what runs on this machine, so only its owner’s browser may see it. Open it with
      </p>
      <pre>localhostess dashboard</pre>
      <p>which prints a link that works once, within a minute.</p>`,
  });
  return { status, headers: { ...Object.fromEntries(fields), "WWW-Authenticate": "Bearer" }, body };
}
