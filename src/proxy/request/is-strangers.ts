/** A request -> whether a page that is not ours makes it on its own, for example for an image or a frame. Pure. */
import { classifyHost } from "../../routes/host.ts";
import type { RouteTable } from "../../routes/table.ts";
import { Field } from "../../wire/field.ts";
import type { FieldLines } from "../../wire/head.ts";
import { asksForHtml } from "../pages/negotiate.ts";

/**
 * These requests are not a stranger's: those of programs, pages that a person opens (even by a link on a stranger's
 * page), and requests with a page of ours in Origin or Referer. To browsers, two names under `localhost` are two sites,
 * so `cross-site` alone proves nothing.
 */
export function isStrangers(head: FieldLines, bytes: Uint8Array, table: RouteTable): boolean {
  const said = sayingsOf(head, bytes);
  if (said.site !== undefined) {
    // Chromium sends `none`, as for a typed address, when a page's speculation rules prefetch. Chromium requests the
    // page again when the person goes there, because our answer is not a success.
    const ahead = said.purpose?.includes("prefetch") ?? false;
    if (said.site !== "cross-site" && !(ahead && said.site === "none")) return false;
    // Frames also navigate without a click.
    const opens = said.mode === "navigate" && (said.dest ?? "document") === "document";
    if (opens && !ahead) return false;
  } else {
    // An old browser, an insecure URL, or a program. A program sends neither field.
    if (said.origin === undefined && said.referer === undefined) return false;
    // Browsers send no Origin when a person follows a link.
    if (said.origin === undefined && asksForHtml(said.accept)) return false;
  }
  return !isOurs(said.origin, table) && !isOurs(said.referer, table);
}

type Sayings = {
  site: string | undefined;
  mode: string | undefined;
  dest: string | undefined;
  purpose: string | undefined;
  origin: string | undefined;
  referer: string | undefined;
  accept: string;
};

function sayingsOf(head: FieldLines, bytes: Uint8Array): Sayings {
  const accepts: string[] = [];
  const said: Omit<Sayings, "accept"> = {
    site: undefined,
    mode: undefined,
    dest: undefined,
    purpose: undefined,
    origin: undefined,
    referer: undefined,
  };
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.idOf(index);
    if (id === Field.accept) accepts.push(head.valueOf(bytes, index));
    else if (id === Field.origin) said.origin = head.valueOf(bytes, index);
    else if (id === Field.referer) said.referer = head.valueOf(bytes, index);
    else if (id === Field.other) {
      for (const part of ["site", "mode", "dest"] as const) {
        if (head.isNamed(bytes, index, `sec-fetch-${part}`)) {
          said[part] = head.valueOf(bytes, index);
        }
      }
      if (head.isNamed(bytes, index, "sec-purpose")) said.purpose = head.valueOf(bytes, index);
    }
  }
  return { ...said, accept: accepts.join(", ") };
}

/**
 * Whether the URL's host is one that we answer for. The port does not matter: a person's other servers use `localhost`.
 */
function isOurs(url: string | undefined, table: RouteTable): boolean {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return false;
  const host = classifyHost(parsed.hostname.replace(/\.$/, ""), table.tlds);
  if (host.kind !== "name") return host.kind === "own";
  if (host.domain !== "") return true;
  return (table.find(host.name) ?? table.supervised(host.name)) !== undefined;
}
