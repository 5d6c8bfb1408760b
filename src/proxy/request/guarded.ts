/** A routed request -> what is to be said of it, if a page of another site makes it. Pure. */
import { readPostPath } from "../../manifest/post-path.ts";
import type { Denied } from "../../routes/denial.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { latin1 } from "../../wire/bytes.ts";
import { type RequestFraming, Site } from "../../wire/framing.ts";
import type { RequestHead } from "../../wire/head.ts";
import type { Target } from "../../wire/target.ts";
import { askerOf } from "./asker.ts";
import type { Destination, Destinations } from "./destination.ts";
import { judge, passesUnread } from "./guard.ts";

export type Guarded = {
  framing: RequestFraming;
  target: Target;
  destination: Destination;
  /** The service's name, without its domain. */
  name: string;
  supervised: Supervised | undefined;
  destinations: Pick<Destinations, "areProxied">;
};

/** Undefined: it passes. */
export function deniedIn(
  head: RequestHead,
  bytes: Uint8Array,
  { framing, target, destination, name, supervised, destinations }: Guarded,
): Denied | undefined {
  const { settings, table, authority, mode } = destination;
  if (passesUnread(framing, settings, isGet(head, bytes))) return undefined;
  const from = target.form === "absolute" ? target.pathStart : head.targetStart;
  const path = guardedPath(latin1(bytes, from, head.targetEnd));
  const { site, upgrade } = framing;
  const verdict = judge({
    ...{ table, settings, name, supervised, path, site, upgrade },
    chosen: "chosen" in destination.decision ? destination.decision.chosen : undefined,
    asked: authority.host,
    proxied: (bare) => mode !== "direct" || destinations.areProxied(bare),
    method: head.method(bytes),
    asker: askerOf(head, bytes),
  });
  if (verdict === "passes") return undefined;
  const { allowOrigins, allowPosts } = settings;
  return {
    ...{ ...verdict, name, allowOrigins, allowPosts },
    path: path.slice(0, mostOfPath),
    postable: verdict.kind === "form" && path.length <= mostOfPath && canBeListed(path),
    method: verdict.method.slice(0, mostOfMethod),
    service: supervised && {
      id: supervised.id,
      key: supervised.instance?.of ?? supervised.service,
    },
    declarable: supervised !== undefined && !isOfProcfile(supervised),
    refused: settings.guard !== "log",
    insecure: site === Site.unsaid,
  };
}

/** As far as it matters: what a locald.toml says of no such thing, config.toml may say for it. */
function isOfProcfile({ type, settings }: Supervised): boolean {
  return type === "process" && settings === undefined;
}

/** A path with `*` is the exception. */
function canBeListed(path: string): boolean {
  return readPostPath(path).kind === "path";
}

/** A path longer than that is no place that a form is sent to; the longest registered method has 17 letters. */
const mostOfPath = 300;
const mostOfMethod = 32;

/** As browsers send it: without its query, and with what is no ASCII encoded, as it goes on to the server. */
export function guardedPath(target: string): string {
  const [path = ""] = target.split("?", 1);
  return path === "" ? "/" : path.replace(/[^\x21-\x7e]/g, percentEncoded);
}

function percentEncoded(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

export function isGet(head: RequestHead, bytes: Uint8Array): boolean {
  const { start, methodEnd } = head;
  return (
    methodEnd - start === 3 &&
    bytes[start] === 71 &&
    bytes[start + 1] === 69 &&
    bytes[start + 2] === 84
  );
}
