/**
 * A request for the page on which a browser chooses the checkout that a name shows it -> what it asks for, and whether
 * it may change that. Pure.
 *
 * A page of another site may lead a browser here, by a link, an image or a form. It changes nothing: only the person
 * does, by an address that is typed or kept, and pages of the same origin.
 */
import { choicePath, type Origin, plainCheckout } from "../../routes/origins.ts";
import { originOf } from "../../routes/service-row.ts";
import { latin1 } from "../../wire/bytes.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Target } from "../../wire/target.ts";
import type { ChoiceAsked, ChoiceMethod } from "../pages/choice-page.ts";
import { type Asker, askerOf, readPageOrigin } from "./asker.ts";
import type { Destination } from "./destination.ts";

type Turn = { target: Target; destination: Destination; origin: Origin };

/** A path that leads back is no longer than that, or it is `/`. */
const longestPath = 2_000;

/** Undefined: the request is for another path, which is the service's. */
export function choiceAsked(
  head: RequestHead,
  bytes: Uint8Array,
  { target, destination, origin }: Turn,
): ChoiceAsked | undefined {
  const from = target.form === "absolute" ? target.pathStart : head.targetStart;
  const end = from + choicePath.length;
  if (head.targetEnd < end || (head.targetEnd > end && bytes[end] !== 63)) return undefined;
  for (let i = 0; i < choicePath.length; i++) {
    if (bytes[from + i] !== choicePath.charCodeAt(i)) return undefined;
  }
  const query = new URLSearchParams(
    latin1(bytes, Math.min(end + 1, head.targetEnd), head.targetEnd),
  );
  const { authority, secure, use } = destination;
  const scheme = secure ? "https" : "http";
  const url = originOf(authority.host, { scheme, port: authority.port ?? (secure ? 443 : 80) });
  const method = head.method(bytes);
  const label = query.get("worktree") ?? undefined;
  const is: ChoiceMethod = method === "POST" ? "post" : isRead(method) ? "get" : "other";
  return {
    origin,
    host: authority.host,
    secure,
    use,
    label,
    isKnown: label === "" || label === plainCheckout || origin.labels.includes(label ?? ""),
    method: is,
    changes: label !== undefined && mayChange(askerOf(head, bytes), { method: is, url }),
    to: pathIn(query.get("to"), url),
  };
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** Whether the person, or a page of the same origin, makes this request. */
export function mayChange(
  asker: Asker,
  { method, url }: { method: ChoiceMethod; url: string },
): boolean {
  const { site, mode, dest, purpose, origins } = asker;
  // Browsers may load a page that nobody has opened yet.
  if (method === "other" || purpose !== undefined) return false;
  const isOwn = origins.every((text) => readPageOrigin(text)?.origin === url);
  if (!isOwn) return false;
  if (method === "post")
    return site === "same-origin" || (site === undefined && origins.length > 0);
  if (site !== "none" && site !== "same-origin") return false;
  return mode === "navigate" && dest === "document";
}

const pathForm = /^\/[\x21-\x7e]*$/;

/** A path of the same origin; `/` for anything else. */
export function pathIn(text: string | null, url: string): string {
  if (text === null || text.length > longestPath || !pathForm.test(text)) return "/";
  const found = URL.parse(text, url);
  // `//evil.example` is another host, and so is `/\\evil.example` to a browser.
  if (found === null || found.origin !== new URL(url).origin) return "/";
  const path = `${found.pathname}${found.search}${found.hash}`;
  return path.startsWith("//") ? "/" : path;
}
