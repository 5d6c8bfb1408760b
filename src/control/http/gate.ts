/** A request's head -> admitted or refused. Pure but for the clock, which is an argument. */
import type { Clock } from "../../system/clock.ts";
import { sameSecret } from "../found/proof.ts";
import type { Headers } from "./answer.ts";
import type { Asked } from "./asked.ts";
import { exchangePath, type PageTokens } from "./page-tokens.ts";

export type GateOptions = {
  /** Read for each request, as the credential may be replaced. */
  credential(): string;
  /** Origins that CORS admits, exactly as browsers send them. */
  allowedOrigins: readonly string[];
  clock: Clock;
  /** The port that we listen on; read for each request, as it is known only once we listen. */
  port(): number;
  /** Our page, and who is signed in to it; undefined: there is no page. */
  page?: GatePage | undefined;
  /** The tokens that pages of allowed origins exchange for the credential; undefined: there are none. */
  pageTokens?: Pick<PageTokens, "holds"> | undefined;
};

/**
 * The page has a host of its own: a browser sends a cookie of 127.0.0.1, or of localhost, to every port there, and so
 * to other people's servers.
 */
export type GatePage = {
  /** Whether a name, without the port, is a host of the page. */
  isHost(name: string): boolean;
  /** Whether a cookie's value is a session on this host. */
  session(value: string, host: string): boolean;
};

/** Where requests to us are sent. */
export type OwnPlace = { port: number; isPageHost(name: string): boolean };

/** The proof that a request has shown. */
export type Visitor =
  | "credential"
  | "session"
  /** A page of an allowed origin that may exchange its token, and nothing else. */
  | "token";

export type Verdict =
  | { kind: "pass"; by: Visitor; headers: Headers }
  /** The request has shown nothing, or nothing that is right. */
  | { kind: "refuse"; status: 401 | 421 | 429; why: string; headers: Headers }
  /** A preflight that is granted. */
  | { kind: "granted"; headers: Headers };

export const sessionCookie = "localhostess_session";

/** The only routes that accept the credential in the query: an EventSource cannot send headers. */
export const queryTokenPaths: readonly string[] = ["/v1/events"];

/** Milliseconds for which a failure counts. */
const failureWindow = 10_000;

/** Seconds for which a browser may cache a preflight. */
const preflightAge = 600;

/** Each layer by itself, so that a test can take one away and see what it was for. */
export type Layers = {
  /** Whether the request was meant for us. */
  host(asked: Asked, place: OwnPlace): boolean;
  /** Whether two secrets are equal, in a time that does not depend on where they differ. */
  same(given: string, expected: string): boolean;
  /** Whether the query may hold the credential. */
  queryToken(asked: Asked): boolean;
  /** Whether a page of this origin may read our answers. */
  origin(origin: string, allowed: readonly string[]): boolean;
  /** Whether a token that is shown may be exchanged by this request. */
  exchange(asked: Asked): boolean;
  /** Whether the cookie came from our own page. */
  samePage(asked: Asked, place: OwnPlace): boolean;
  /** Whether the client may be this person's. */
  own(asked: Asked): boolean;
  /** Whether a body says that it is JSON, which no form can say. */
  json(asked: Asked): boolean;
  /** Failures in ten seconds; beyond that the answer is 429. */
  mostFailures: number;
};

export const layers: Layers = {
  host: isOurHost,
  same: sameSecret,
  queryToken: ({ method, path }) =>
    (method === "GET" || method === "HEAD") && queryTokenPaths.includes(path),
  origin: (origin, allowed) => allowed.includes(origin),
  exchange: ({ method, path }) => method === "POST" && path === exchangePath,
  samePage: isOurPage,
  own: ({ ownClient }) => ownClient !== false,
  json: isJson,
  mostFailures: 30,
};

export interface Gate {
  judge(asked: Asked): Verdict;
}

export function gate(options: GateOptions, its: Layers = layers): Gate {
  const { clock } = options;
  let failed: number[] = [];
  const place = (): OwnPlace => ownPlace(options.port(), options.page);

  function refused(why: string, headers: Headers): Verdict {
    const now = clock.now();
    failed = failed.filter((time) => now - time < failureWindow);
    if (failed.length >= its.mostFailures) {
      const wait = Math.max(1, Math.ceil((failed[0]! + failureWindow - now) / 1000));
      const retry = { ...headers, "Retry-After": String(wait) };
      return { kind: "refuse", status: 429, why: "too many wrong credentials", headers: retry };
    }
    failed.push(now);
    return { kind: "refuse", status: 401, why, headers: { ...headers, ...challenge } };
  }

  /** `admitted`: the origin of the page, where CORS admits it. @returns undefined: there is no proof that is right. */
  function visitor(asked: Asked, admitted: string | undefined): Visitor | undefined {
    const bearer = bearerOf(asked.header("authorization"));
    if (bearer !== undefined && its.same(bearer, options.credential())) return "credential";
    if (its.queryToken(asked)) {
      const token = new URLSearchParams(asked.query).get("token");
      if (token !== null && its.same(token, options.credential())) return "credential";
    }
    const { page, pageTokens } = options;
    const token = tokenOf(asked.header("authorization"));
    if (token !== undefined && admitted !== undefined && its.exchange(asked)) {
      // The token was in a command line, which other users of this machine may read.
      return pageTokens?.holds(token, admitted) && its.own(asked) ? "token" : undefined;
    }
    if (page === undefined || !its.samePage(asked, place())) return undefined;
    const host = hostIn(asked);
    // The kernel is asked last, because that costs the most.
    return cookiesOf(asked).some((value) => page.session(value, host)) && its.own(asked)
      ? "session"
      : undefined;
  }

  return {
    judge(asked) {
      if (!its.host(asked, place())) {
        return { kind: "refuse", status: 421, why: "this Host is not ours", headers: {} };
      }
      const origin = asked.header("origin");
      const admitted = origin !== undefined && its.origin(origin, options.allowedOrigins);
      const cors: Headers = admitted
        ? { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After" }
        : {};
      const headers: Headers =
        options.allowedOrigins.length > 0 ? { ...cors, Vary: "Origin" } : cors;
      const wanted = asked.header("access-control-request-method");
      if (asked.method === "OPTIONS" && origin !== undefined && wanted !== undefined) {
        if (admitted) return { kind: "granted", headers: { ...headers, ...grantOf(asked) } };
        // A preflight cannot carry a credential, so it does not count as a failed attempt.
        return {
          kind: "refuse",
          status: 401,
          why: notAdmitted,
          headers: { ...headers, ...challenge },
        };
      }
      const by = visitor(asked, admitted ? origin : undefined);
      if (by === undefined) return refused("the credential is missing or wrong", headers);
      return { kind: "pass", by, headers };
    },
  };
}

export const challenge: Headers = { "WWW-Authenticate": "Bearer" };
const notAdmitted = "the credential is missing or wrong";

export function ownPlace(port: number, page: GatePage | undefined): OwnPlace {
  return { port, isPageHost: (name) => page?.isHost(name) ?? false };
}

/** The Host field without its port; empty where there is none. */
export function hostIn({ host = "" }: Asked): string {
  return host.replace(/:\d+$/, "");
}

/** The three spellings that clients use, and hosts of our page. Any other name may be that of a stranger's page. */
function isOurHost(asked: Asked, place: OwnPlace): boolean {
  const { host, target } = asked;
  const { port } = place;
  // A target with an authority contradicts Host or repeats it; only proxies get such targets.
  if (!target.startsWith("/")) return false;
  return (
    host === `127.0.0.1:${port}` ||
    host === `localhost:${port}` ||
    host === `[::1]:${port}` ||
    isPageHost(asked, place)
  );
}

function isPageHost(asked: Asked, place: OwnPlace): boolean {
  const name = hostIn(asked);
  return asked.host === `${name}:${place.port}` && place.isPageHost(name);
}

/** RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1. */
function bearerOf(authorization: string | undefined): string | undefined {
  return authorization?.match(/^bearer +([A-Za-z0-9._~+/-]+=*)$/i)?.[1];
}

/** The form of a token from `single-use.ts`, with a scheme that no form, image or link of a page can send. */
export function tokenOf(authorization: string | undefined): string | undefined {
  return authorization?.match(/^token +([0-9a-f]{64})$/i)?.[1];
}

/**
 * Browsers send a cookie with every request to the page's host, from any page and to any port. So the cookie counts
 * only for exactly that host and port, and if the browser says that the request is from our own page.
 */
function isOurPage(asked: Asked, place: OwnPlace): boolean {
  if (!isPageHost(asked, place)) return false;
  const site = asked.header("sec-fetch-site");
  const origin = asked.header("origin");
  const reads = asked.method === "GET" || asked.method === "HEAD";
  if (origin !== undefined && origin !== `http://${asked.host}`) return false;
  // Browsers send Origin with everything but GET and HEAD.
  if (!reads) return origin !== undefined && (site === undefined || site === "same-origin");
  if (site === undefined || site === "same-origin") return true;
  // A typed address or a bookmark: for pages only, because the answer is shown and no script reads it.
  return site === "none" && asked.header("sec-fetch-mode") === "navigate";
}

function isJson(asked: Asked): boolean {
  const type = asked.header("content-type")?.split(";")[0];
  return type?.trim().toLowerCase() === "application/json";
}

function cookiesOf(asked: Asked): string[] {
  const pairs = (asked.header("cookie") ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.flatMap(([name, value]) => (name === sessionCookie && value ? [value] : []));
}

function grantOf(asked: Asked): Headers {
  const asks = asked.header("access-control-request-private-network") === "true";
  return {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": String(preflightAge),
    ...(asks ? { "Access-Control-Allow-Private-Network": "true" } : {}),
  };
}
