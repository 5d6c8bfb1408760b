/** A request -> whether a page that is not ours makes it on its own, for example for an image or a frame. Pure. */
import { isAllowedBy } from "../../manifest/allowed-origin.ts";
import type { NameSettings } from "../../manifest/name-settings.ts";
import type { RouteTable } from "../../routes/table.ts";
import { latin1 } from "../../wire/bytes.ts";
import type { FieldLines, RequestHead } from "../../wire/head.ts";
import { asksForHtml } from "../pages/negotiate.ts";
import { askerOf, isOurs, pageOriginOf } from "./asker.ts";
import { formTypes } from "./guard.ts";
import { guardedPath } from "./guarded.ts";

/**
 * A service that is asleep is started for less than `guard.ts` lets pass: not for a page that is fetched ahead, nor for
 * the images that a browser asks for at an insecure URL.
 *
 * These requests are not a stranger's: those of programs, pages that a person opens (even by a link on a stranger's
 * page), and requests with a page of ours in Origin or Referer. To browsers, two names under `localhost` are two sites,
 * so `cross-site` alone proves nothing.
 */
export function isStrangers(head: FieldLines, bytes: Uint8Array, table: RouteTable): boolean {
  const { site, mode, dest, purpose, origins, referers, accept } = askerOf(head, bytes);
  if (site !== undefined) {
    // Chromium sends `none`, as for a typed address, when a page's speculation rules prefetch. Chromium requests the
    // page again when the person goes there, because our answer is not a success.
    const ahead = purpose?.includes("prefetch") ?? false;
    if (site !== "cross-site" && !(ahead && site === "none")) return false;
    // Frames also navigate without a click.
    const opens = mode === "navigate" && (dest ?? "document") === "document";
    if (opens && !ahead) return false;
  } else {
    // An old browser, an insecure URL, or a program. A program sends neither field.
    if (origins.length === 0 && referers.length === 0) return false;
    // Browsers send no Origin when a person follows a link.
    if (origins.length === 0 && asksForHtml(accept)) return false;
  }
  const around = { table, asked: undefined, proxied: () => true };
  return ![...origins, ...referers].some((text) => {
    const page = pageOriginOf(text);
    return page !== undefined && isOurs(page, around);
  });
}

/**
 * Whether `allow_origins` lists the page that makes the request, or `allow_posts` the path of the form: what may be
 * asked may be woken.
 */
export function isListed(
  head: RequestHead,
  bytes: Uint8Array,
  { allowOrigins, allowPosts }: Pick<NameSettings, "allowOrigins" | "allowPosts">,
): boolean {
  if (allowOrigins.length === 0 && allowPosts.length === 0) return false;
  const { site, origins, referers, contentType = "" } = askerOf(head, bytes);
  // Where browsers say more, a form that opens a page is nobody's but the person's.
  if (site === undefined && head.method(bytes) === "POST" && formTypes.test(contentType)) {
    const target = latin1(bytes, head.targetStart, head.targetEnd).replace(beforePath, "");
    if (allowPosts.includes(guardedPath(target))) return true;
  }
  const said = origins.length > 0 ? origins : referers;
  return said.some((text) => {
    const page = pageOriginOf(text);
    return page !== undefined && allowOrigins.some((its) => isAllowedBy(its, page.origin));
  });
}

/** The scheme and the authority of a whole URL. */
const beforePath = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i;
