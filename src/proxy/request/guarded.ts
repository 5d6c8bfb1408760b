/** A routed request -> what is to be said of it, if a page of another site makes it. Pure. */
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
  const path = latin1(bytes, from, head.targetEnd).replace(/\?.*/s, "") || "/";
  const { site, upgrade } = framing;
  const verdict = judge({
    ...{ table, settings, name, supervised, path, site, upgrade },
    asked: authority.host,
    proxied: (bare) => mode !== "direct" || destinations.areProxied(bare),
    method: head.method(bytes),
    asker: askerOf(head, bytes),
  });
  if (verdict === "passes") return undefined;
  const { allowOrigins, allowPosts } = settings;
  return {
    ...{ ...verdict, name, path, allowOrigins, allowPosts },
    service: supervised && {
      id: supervised.id,
      key: supervised.instance?.of ?? supervised.service,
    },
    refused: settings.guard !== "log",
    insecure: site === Site.unsaid,
  };
}

function isGet(head: RequestHead, bytes: Uint8Array): boolean {
  const { start, methodEnd } = head;
  return (
    methodEnd - start === 3 &&
    bytes[start] === 71 &&
    bytes[start + 1] === 69 &&
    bytes[start + 2] === 84
  );
}
