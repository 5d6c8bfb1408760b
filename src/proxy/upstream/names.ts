/**
 * The name by which a client asks for a service, and the one that the service is told -> URLs and hosts of the one
 * written as the other's. Pure.
 */
import { defaultPorts, originOf, type Scheme } from "../../routes/service-row.ts";

/** The origin of URLs, RFC 6454 section 4: `port` is there even if the text leaves it out. */
export type UrlOrigin = { scheme: Scheme; host: string; port: number };

export type Names = {
  visible: UrlOrigin;
  /** The same as `visible`, unless the service does not know that name. */
  told: UrlOrigin;
  /**
   * With the told host, the URLs by which the service may mean itself: what it is told, and what it knows of itself,
   * because many servers go by the scheme that they speak, and some by the port that they listen on.
   */
  own: readonly { scheme: Scheme; port: number }[];
};

export type NamesFacts = {
  visible: UrlOrigin;
  told: UrlOrigin;
  /** The scheme that the service speaks, and the port that it listens on. */
  server: { scheme: Scheme; port: number };
};

export function namesOf({ visible, told, server }: NamesFacts): Names {
  const isMapped = visible.host !== told.host;
  const own: { scheme: Scheme; port: number }[] = [];
  if (isMapped) own.push(told);
  // By https, a server that speaks TLS may want to lead its clients from http to it.
  const meansItself = server.scheme === "http" || visible.scheme === "https";
  if (server.scheme !== told.scheme && (meansItself || isMapped)) {
    // Behind its own scheme, a server writes the Host that it was told, with a port or without.
    const isDefault = told.port === defaultPorts[told.scheme];
    own.push({ scheme: server.scheme, port: isDefault ? defaultPorts[server.scheme] : told.port });
  }
  if (meansItself) own.push(server);
  return { visible, told, own };
}

/** `http://`, perhaps user information, a host, perhaps a port; behind it, a path begins or the text ends. */
const beginning = /^(?:(https?):)?\/\/((?:[^/?#\\@]*@)?)([^/?#\\@:[\]]+)(?::(\d*))?(?=[/?#]|$)/i;

/** The URL of the client's, as one that the service was told; undefined if it leads elsewhere. */
export function toldUrl(url: string, { visible, told }: Names): string | undefined {
  const found = beginning.exec(url);
  if (found?.[1]?.toLowerCase() !== visible.scheme) return undefined;
  if (hostIn(found) !== visible.host || portIn(found, visible.scheme) !== visible.port) {
    return undefined;
  }
  return `${told.scheme}://${found[2]}${authorityOf(told)}${url.slice(found[0].length)}`;
}

/** The URL of the service's, as one that the client may ask for; undefined if it leads elsewhere, or is a path. */
export function visibleUrl(url: string, { visible, told, own }: Names): string | undefined {
  const found = beginning.exec(url);
  if (found === null || hostIn(found) !== told.host) return undefined;
  const scheme = found[1]?.toLowerCase();
  const isOwn = own.some(
    (its) => (scheme ?? its.scheme) === its.scheme && portIn(found, its.scheme) === its.port,
  );
  if (!isOwn) return undefined;
  const before = scheme === undefined ? "//" : `${visible.scheme}://`;
  return `${before}${found[2]}${authorityOf(visible)}${url.slice(found[0].length)}`;
}

/** Whether the text is an origin as in an Origin field, and nothing behind it. RFC 6454 section 7. */
export function isOrigin(text: string): boolean {
  return beginning.exec(text)?.[0].length === text.length;
}

/**
 * The domain of a cookie of the service's, as one that the client may have: the part of the told host that it is,
 * under the client's domain; "" if the client's host can have no Domain at all. Undefined: it is another host's.
 */
export function visibleDomain(domain: string, { visible, told }: Names): string | undefined {
  const dot = domain.startsWith(".") ? "." : "";
  const asked = domain.slice(dot.length).toLowerCase();
  if (asked !== told.host && !told.host.endsWith(`.${asked}`)) return undefined;
  // A name without a dot, or all of `localhost`: browsers take no cookie for a whole top-level domain.
  if (!visible.host.includes(".") || !asked.includes(".")) return "";
  const name = told.host.slice(0, -".localhost".length);
  return `${dot}${asked.slice(0, -".localhost".length)}${visible.host.slice(name.length)}`;
}

/** The host, with a port unless it is the scheme's. */
export function authorityOf(its: UrlOrigin): string {
  return originOf(its.host, its).slice(its.scheme.length + 3);
}

function hostIn(found: RegExpExecArray): string {
  return found[3]!.toLowerCase().replace(/\.$/, "");
}

function portIn({ 4: port }: RegExpExecArray, scheme: Scheme): number {
  return port === undefined || port === "" ? defaultPorts[scheme] : Number(port);
}
