/** Origins to ask -> a page that asks each of them in every way a page has, reports, and goes on to the next page. */
import { join } from "node:path";

/** The ways of a page to make a request. Each ends with the request's answer, or after `longest`. */
export const askKinds = [
  "link",
  "redirect",
  "form-get",
  "form-post",
  "form-post-allowed",
  "fetch-no-cors",
  "fetch-cors",
  "fetch-post",
  "fetch-json",
  "fetch-credentials",
  "fetch-no-referrer",
  "beacon",
  "websocket",
  "eventsource",
  "image",
  "script",
  "style",
  "frame",
  "embed",
  "prefetch",
  "worker",
  "service-worker",
  "opaque-post",
  "opaque-get",
] as const;

/** The kinds that open a window. A page behind it is not laid out, and loads no more of what it shows. */
export const opening: readonly AskKind[] = [
  "link",
  "redirect",
  "form-get",
  "form-post",
  "form-post-allowed",
];

export type AskKind = (typeof askKinds)[number];

/** Milliseconds after which the page goes on without an outcome. */
const longest = 4_000;

export type PageOptions = {
  /** Base URLs, by a label. */
  targets: Readonly<Record<string, string>>;
  kinds: readonly AskKind[];
  /** Redirects to `?go=`, as one who signs people in does. */
  provider: string;
  /** The page that comes after this one. */
  next: string | undefined;
};

/**
 * The page asks `<target>/<kind>?to=<label>`, and POSTs the outcomes to `/report`, with its own query, as JSON:
 * `{"label kind": "..."}`.
 */
export function askingPage(options: PageOptions): string {
  const facts = JSON.stringify({ ...options, longest }).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><title>asks</title><link rel="icon" href="data:,">
<body><script>globalThis.facts = ${facts};</script><script src="/page.js"></script>`;
}

const scripts = join(import.meta.dir, "../e2e/fixtures/asking");

/** Path -> what the page's server has there: the page's script, and the service worker that it registers. */
export const askingScripts: ReadonlyMap<string, Bun.BunFile> = new Map(
  ["page.js", "service-worker.js"].map((name) => [`/${name}`, Bun.file(join(scripts, name))]),
);
