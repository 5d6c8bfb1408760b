/** A request -> what it says of the page that makes it; and a URL of a page -> whether the page is ours. Pure. */
import { classifyHost, loopbackHost } from "../../routes/host.ts";
import { leads, type RouteTable } from "../../routes/table.ts";
import { Field } from "../../wire/field.ts";
import type { FieldLines } from "../../wire/head.ts";

/** The fields of a browser about the page that asks. Each is undefined, or empty, where the field is missing. */
export type Asker = {
  site: string | undefined;
  mode: string | undefined;
  dest: string | undefined;
  purpose: string | undefined;
  /** The method that a preflight asks for. */
  wanted: string | undefined;
  /** No browser sends two; a program may. */
  origins: readonly string[];
  referers: readonly string[];
  accept: string;
  contentType: string | undefined;
};

export function askerOf(head: FieldLines, bytes: Uint8Array): Asker {
  const all: Record<number, string[]> = {};
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.idOf(index);
    if (!read.has(id)) continue;
    all[id] ??= [];
    all[id].push(head.valueOf(bytes, index));
  }
  const one = (id: number): string | undefined => all[id]?.join(", ");
  return {
    site: one(Field.secFetchSite),
    mode: one(Field.secFetchMode),
    dest: one(Field.secFetchDest),
    purpose: one(Field.secPurpose),
    wanted: one(Field.accessControlRequestMethod),
    origins: all[Field.origin] ?? [],
    referers: all[Field.referer] ?? [],
    accept: one(Field.accept) ?? "",
    contentType: one(Field.contentType),
  };
}

const read: ReadonlySet<number> = new Set([
  Field.secFetchSite,
  Field.secFetchMode,
  Field.secFetchDest,
  Field.secPurpose,
  Field.accessControlRequestMethod,
  Field.origin,
  Field.referer,
  Field.accept,
  Field.contentType,
]);

/** `scheme://host:port`, and perhaps a slash: nothing that a reader of URLs could take for another host. */
const originForm = /^[a-z][a-z0-9+.-]*:\/\/[^\s/\\?#@]+\/?$/i;

/** The origin of a page, with its host in lower case and without a trailing dot. */
export type PageOrigin = { origin: string; scheme: string; host: string };

/** A host has at most 253 letters, and a port 5. */
const longestOrigin = 300;

/** Undefined for `null`, for a list, and for whatever no browser sends as Origin. */
export function readPageOrigin(text: string): PageOrigin | undefined {
  if (text.length > longestOrigin) return undefined;
  return originForm.test(text) ? pageOriginOf(text) : undefined;
}

/** The origin of a URL, as Referer has one; undefined where it has no host. */
export function pageOriginOf(text: string): PageOrigin | undefined {
  const url = URL.parse(text);
  if (url === null || url.host === "" || url.host.length > longestOrigin) return undefined;
  const scheme = url.protocol.slice(0, -1);
  const isWeb = scheme === "http" || scheme === "https";
  return {
    origin: isWeb ? url.origin : `${scheme}://${url.host}`,
    scheme,
    host: url.hostname.toLowerCase().replace(/\.$/, ""),
  };
}

export type Surroundings = {
  table: RouteTable;
  /** The host that the request asks for; undefined: not known here. */
  asked: string | undefined;
  /** Whether clients ask us for this bare name as their proxy, so that it is ours to them. */
  proxied(name: string): boolean;
};

/**
 * Whether a page is one of the person's own: at this machine, or at a name that only we answer for. The port does not
 * matter, as a person's other servers use `localhost`.
 */
export function isOurs(page: PageOrigin, { table, asked, proxied }: Surroundings): boolean {
  const { host, scheme } = page;
  if (host === asked || loopbackHost(host)) return true;
  if (["localhost", ...table.tlds].some((tld) => host.endsWith(`.${tld}`))) return true;
  // The browser has asked us for `http://api`, or whoever resolves such names on this network. Nobody else has a
  // certificate for it.
  const named = classifyHost(host, table.tlds);
  if (named.kind !== "name") return false;
  const { name } = named;
  return (proxied(name) || scheme === "https" || table.answersBare(name)) && leads(name, table);
}
