/**
 * The name by which a client asks for a service, and the one that the service is told -> URLs and hosts of the one
 * written as the other's. Pure.
 */
import { defaultPorts, originOf, type Scheme } from "../../routes/service-row.ts";

/** Where a request goes, in URLs: `port` is there even if the text leaves it out. */
export type Site = { scheme: Scheme; host: string; port: number };

/** Set where both names differ: back ends know neither names without a dot nor our configured domains. */
export type Names = {
  visible: Site;
  told: Site;
  /**
   * The schemes that the service may take for its own: the one that it is told, and the one that it speaks, which many
   * servers go by.
   */
  own: readonly Scheme[];
};

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
  const scheme = found[1]?.toLowerCase() as Scheme | undefined;
  if (scheme !== undefined && !own.includes(scheme)) return undefined;
  // A server that goes by its own scheme writes the Host that it was told behind it, with a port or without.
  const its = scheme ?? told.scheme;
  const port = told.port === defaultPorts[told.scheme] ? defaultPorts[its] : told.port;
  if (portIn(found, its) !== port) return undefined;
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
export function authorityOf(site: Site): string {
  return originOf(site.host, site).slice(site.scheme.length + 3);
}

function hostIn(found: RegExpExecArray): string {
  return found[3]!.toLowerCase().replace(/\.$/, "");
}

function portIn({ 4: port }: RegExpExecArray, scheme: Scheme): number {
  return port === undefined || port === "" ? defaultPorts[scheme] : Number(port);
}
