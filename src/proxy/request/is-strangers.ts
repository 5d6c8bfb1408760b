/** A request -> whether a page that is not ours makes it on its own, for example for an image or a frame. Pure. */
import { isAllowedBy } from "../../manifest/allowed-origin.ts";
import type { RouteTable } from "../../routes/table.ts";
import type { FieldLines } from "../../wire/head.ts";
import { asksForHtml } from "../pages/negotiate.ts";
import { askerOf, isOurs, pageOriginOf } from "./asker.ts";

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

/** Whether a page that `allow_origins` lists makes the request: it may wake what it may ask. */
export function isListed(
  head: FieldLines,
  bytes: Uint8Array,
  allowOrigins: readonly string[],
): boolean {
  if (allowOrigins.length === 0) return false;
  const { origins, referers } = askerOf(head, bytes);
  const said = origins.length > 0 ? origins : referers;
  return said.some((text) => {
    const page = pageOriginOf(text);
    return page !== undefined && allowOrigins.some((its) => isAllowedBy(its, page.origin));
  });
}
