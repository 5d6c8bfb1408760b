/** A web page that the person wants to connect -> its URL with a token, which that page's origin exchanges once. */
import { CommandError } from "../commands/command.ts";
import { type SingleUseOptions, singleUse } from "./single-use.ts";

/** The route that takes a token, and nothing else. */
export const exchangePath = "/v1/exchange";

/** Milliseconds: from the command that opens the page to the page's request. */
const pageTokenLifetime = 60_000;

export interface PageTokens {
  /** Whether this page may exchange this token now. `origin` as browsers send it. */
  holds(token: string, origin: string): boolean;
  /** Uses the token up. @returns false where it is not valid for this origin, or not any more. */
  redeem(token: string, origin: string): boolean;
  /** `api`: the URL of the API. @throws CommandError where no such page may be connected. */
  link(page: string, api: string): PageLink;
}

export type PageLink = {
  /** The page's URL; the fragment has the token, and where to exchange it. */
  url: string;
  /** The only origin that may exchange the token. */
  origin: string;
};

export type PageTokensOptions = SingleUseOptions & { allowedOrigins: readonly string[] };

export function pageTokens({ allowedOrigins, ...options }: PageTokensOptions): PageTokens {
  const tokens = singleUse(options);
  const purpose = (origin: string): string => `page ${origin}`;
  return {
    holds: (token, origin) => tokens.holds(purpose(origin), token),
    redeem: (token, origin) => tokens.redeem(purpose(origin), token),
    link(page, api) {
      const read = readPage(page);
      if ("why" in read) throw new CommandError("bad_request", `ConnectPage: url: ${read.why}`);
      const { origin } = read.url;
      if (!allowedOrigins.includes(origin)) {
        throw new CommandError("forbidden", `${origin} is not in allowed_origins of config.toml`);
      }
      // The fragment is sent to no server, and the page takes it out of the address.
      const token = tokens.issue(purpose(origin), pageTokenLifetime);
      const fragment = new URLSearchParams({ localhostess_token: token, localhostess_url: api });
      read.url.hash = fragment.toString();
      return { url: read.url.href, origin };
    },
  };
}

/** The URL of a page, or the reason why no page can be opened there with a token. Pure. */
export function readPage(text: string): { url: URL } | { why: string } {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return { why: "it is not the address of a web page, such as http://localhost:5173/" };
  }
  if (url.username !== "" || url.password !== "") {
    return { why: "an address with a user name or a password is not opened" };
  }
  if (url.hash !== "" || text.includes("#")) {
    return { why: "the part from # on has to be left out: the token takes its place" };
  }
  return { url };
}
