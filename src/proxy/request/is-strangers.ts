/** A request -> whether a page that is none of ours makes it on its own, as by an image or a frame. Pure. */
import { classifyHost } from "../../routes/host.ts";
import type { RouteTable } from "../../routes/table.ts";
import { Field } from "../../wire/field.ts";
import type { FieldLines } from "../../wire/head.ts";
import { asksForHtml } from "../pages/negotiate.ts";

/**
 * Not a stranger's are: requests of programs, what a person opens (a link of a stranger's page, too), and whatever names a page of
 * ours in Origin or Referer. To browsers two names under `localhost` are two sites, so `cross-site` alone says nothing.
 */
export function isStrangers(head: FieldLines, bytes: Uint8Array, table: RouteTable): boolean {
  const said = sayingsOf(head, bytes);
  if (said.site !== undefined) {
    // Chromium says `none`, as of an address that was typed, of what a page's speculation rules have fetched ahead. It
    // asks again when the person goes there, as the answer is no success.
    const ahead = said.purpose?.includes("prefetch") ?? false;
    if (said.site !== "cross-site" && !(ahead && said.site === "none")) return false;
    // Frames, too, navigate without anybody's click.
    const opens = said.mode === "navigate" && (said.dest ?? "document") === "document";
    if (opens && !ahead) return false;
  } else {
    // An old browser, an insecure URL, or a program; the last sends neither field.
    if (said.origin === undefined && said.referer === undefined) return false;
    // Browsers send no Origin with a link.
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

/** Whether it is a URL under a name that we answer for, whatever the port: a person's other servers have `localhost`. */
function isOurs(url: string | undefined, table: RouteTable): boolean {
  const parsed = url === undefined ? null : URL.parse(url);
  if (parsed === null) return false;
  const host = classifyHost(parsed.hostname.replace(/\.$/, ""), table.tlds);
  if (host.kind !== "name") return host.kind === "own";
  if (host.domain !== "") return true;
  return (table.find(host.name) ?? table.supervised(host.name)) !== undefined;
}
