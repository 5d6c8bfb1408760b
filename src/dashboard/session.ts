/** A single-use token in a URL -> a session that one browser keeps as a cookie, on a host of its own. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { sameSecret } from "../control/found/proof.ts";
import { type SingleUseOptions, singleUse } from "../control/http/single-use.ts";

/** Milliseconds: from the command that prints the URL to the browser that opens it, and then for the redirect. */
export const tokenLifetimes = { link: 60_000, entry: 10_000 } as const;
/** Milliseconds. A page that was left open for a day needs the command again. */
export const sessionLifetime = 12 * 60 * 60 * 1_000;
/** `page-`, 32 digits that identify one sign-in, and 16 digits that sign them with the credential. */
const hostForm = /^page-([0-9a-f]{32})([0-9a-f]{16})\.localhost$/;

/** `link`: for the URL that a command prints. `entry`: for its redirect to the page's own host. */
export type TokenKind = "link" | "entry";

export interface Sessions {
  /**
   * The host, without a port, that an entry token leads to. Only a browser that was redirected there knows it, while
   * other users may read a browser's command line. Each sign-in has a host of its own: a process that listens on the
   * page's port while there is no daemon may answer an open page, and leave a service worker on its host. That worker
   * must not meet the next session.
   */
  hostFor(token: string): string;
  /** Whether a name is the host of a sign-in. */
  isHost(name: string): boolean;
  /** A new token. */
  issue(kind: TokenKind): string;
  /** Whether a token is valid and unused. */
  holds(kind: TokenKind, token: string): boolean;
  /** Uses a token up. @returns false if it was used before, is too old, or was never issued. */
  redeem(kind: TokenKind, token: string): boolean;
  /** A cookie's value: a new session on the host of this entry token. */
  begin(token: string): string;
  /** Whether a cookie's value is a session on this host. */
  valid(value: string, host: string): boolean;
}

/**
 * Tokens are remembered, sessions are not: a session states its own end, and is signed. So a page goes on when the
 * daemon that opened it has been replaced.
 */
export function sessions({ clock, credential }: SingleUseOptions): Sessions {
  const tokens = singleUse({ clock, credential });

  function sign(what: string, text: string): string {
    return createHmac("sha256", credential()).update(`localhostess ${what}\n${text}`).digest("hex");
  }

  /** The digits that identify one sign-in. */
  const idOf = (token: string): string => sign("page", token).slice(0, 32);

  const hostOf = (id: string): string =>
    `page-${id}${sign("page host", id).slice(0, 16)}.localhost`;

  return {
    hostFor: (token) => hostOf(idOf(token)),
    isHost(name) {
      const id = hostForm.exec(name)?.[1];
      return id !== undefined && sameSecret(name, hostOf(id));
    },
    issue: (kind) => tokens.issue(kind, tokenLifetimes[kind]),
    holds: (kind, token) => tokens.holds(kind, token),
    redeem: (kind, token) => tokens.redeem(kind, token),
    begin(token) {
      const text = `${clock.wall() + sessionLifetime}.${idOf(token)}`;
      return `${text}.${sign("session", text)}`;
    },
    valid(value, host) {
      const [, text, ends, id, signature] =
        value.match(/^((\d{1,15})\.([0-9a-f]{32}))\.([0-9a-f]{64})$/) ?? [];
      if (text === undefined || hostOf(id!) !== host) return false;
      const right = timingSafeEqual(Buffer.from(signature!), Buffer.from(sign("session", text)));
      const left = Number(ends) - clock.wall();
      return right && left > 0 && left <= sessionLifetime;
    },
  };
}
