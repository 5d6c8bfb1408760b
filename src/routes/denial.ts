/** A request that the guard refuses -> the sentence about it, and the line of a file that allows it. Pure. */
import { printable } from "../text/printable.ts";

/** The kinds of requests that are told apart. */
export const denialKinds = ["websocket", "frame", "form", "preflight", "request"] as const;

export type DenialKind = (typeof denialKinds)[number];

export type Denied = {
  /** The name of the service, without its domain. */
  name: string;
  /** The service of a project: its id, and its key under `[services]`; undefined for a server that was found. */
  service: { id: string; key: string } | undefined;
  kind: DenialKind;
  /** The origin of the page; `null`: it hides that. Undefined: it says nothing. */
  origin: string | undefined;
  /** `allow_origins` can list that origin. */
  listable: boolean;
  /** `allow_posts` can list that path, and a form is sent to it. */
  postable: boolean;
  /** Only `guard = "strict"` refuses it. */
  strict: boolean;
  /** For a preflight, the method that it asks for. */
  method: string;
  /** Without its query, which may hold secrets. */
  path: string;
  /** False with `guard = "log"`. */
  refused: boolean;
  /** The browser said nothing but Origin, as the URL is insecure to it. */
  insecure: boolean;
  /** The lists as they are: a new one takes their place. */
  allowOrigins: readonly string[];
  allowPosts: readonly string[];
};

/** A row of what was refused, as it is reported. */
export type DenialReport = {
  /** The name of the service, without its domain. */
  service: string;
  /** Null: the page says nothing of itself. */
  origin: string | null;
  kind: DenialKind;
  method: string;
  path: string;
  /** How often, since the daemon started. */
  count: number;
  /** The first and the last time. Milliseconds since the Unix epoch. */
  startedAt: number;
  lastAt: number;
  refused: boolean;
  /** One line. */
  message: string;
  /** The line that allows it, and where it has to stand. */
  allow: string;
  file: string;
};

/** Characters of a path or an origin that are shown. */
const longest = 200;

export function pageText({ origin }: Pick<Denied, "origin">): string {
  if (origin === undefined) return "a page of another site that does not say which";
  if (origin === "null") return "a page that hides its origin";
  return `a page of ${printable(origin, longest)}`;
}

/** `sent POST /login`, after the page. */
export function deedText({ kind, method, path }: Pick<Denied, "kind" | "method" | "path">): string {
  const what = `${printable(method, 32)} ${printable(path, longest)}`;
  switch (kind) {
    case "websocket":
      return `asked for a WebSocket (${what})`;
    case "frame":
      return `asked for a frame (${what})`;
    case "form":
      return `sent a form (${what})`;
    case "preflight":
      return `asked whether it may send ${what}`;
    case "request":
      return `asked for ${what}`;
  }
}

/** One line: the page, its deed, and the line that allows it. */
export function deniedText(denied: Denied): string {
  const { line, file } = allowing(denied);
  const verdict = denied.refused ? "refused" : 'let pass by guard = "log"';
  const own = denied.listable ? "" : "; a page of yours passes with Referrer-Policy: origin";
  return `${verdict}: ${pageText(denied)} ${deedText(denied)}${own}; to allow it: ${line} in ${file}`;
}

export type Allowing = { line: string; file: string };

/** The narrowest line that allows the request. */
export function allowing(denied: Denied): Allowing {
  const { path, postable, listable, origin, allowOrigins, allowPosts } = denied;
  const file = fileOf(denied);
  if (postable) return { line: list("allow_posts", allowPosts, path), file };
  if (listable) return { line: list("allow_origins", allowOrigins, origin!), file };
  return { line: 'guard = "off"', file };
}

/** Every line that allows it, the narrowest first, each with its effect. */
export function waysToAllow(denied: Denied): (Allowing & { effect: string })[] {
  const { listable, origin, allowOrigins } = denied;
  const file = fileOf(denied);
  const first = allowing(denied);
  const ways = [];
  if (denied.postable) {
    ways.push({ ...first, effect: "forms of any site may be sent to this path" });
  }
  if (listable) {
    const line = list("allow_origins", allowOrigins, origin!);
    ways.push({ line, file, effect: "pages of this site may do what yours may" });
  }
  ways.push({ line: 'guard = "off"', file, effect: "pages of every site may" });
  return ways;
}

function list(key: string, values: readonly string[], value: string): string {
  return `${key} = [${[...values, value].map((its) => JSON.stringify(its)).join(", ")}]`;
}

function fileOf(denied: Denied): string {
  const { service } = denied;
  return service === undefined ? ownFile(denied) : `[services.${service.key}] of its locald.toml`;
}

/** The table of config.toml, which counts for the services of projects too, where these do not say otherwise. */
export function ownFile({ name }: Pick<Denied, "name">): string {
  return `[names.${name.includes(".") ? JSON.stringify(name) : name}] of config.toml`;
}
