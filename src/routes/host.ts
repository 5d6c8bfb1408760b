/** The host of an authority -> its meaning for the proxy. */

export type Host =
  /** `localhost` and loopback literals: the proxy itself. */
  | { kind: "own" }
  /**
   * The name of a service, without the domain it was written with. `domain`: `localhost`, a configured one, or "" for a
   * bare name.
   */
  | { kind: "name"; name: string; domain: string }
  /** Any other name. A page that was sent here by DNS rebinding has such a name. */
  | { kind: "foreign" };

const own: Host = { kind: "own" };
const foreign: Host = { kind: "foreign" };

const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const loopback4 =
  /^127\.(?:25[0-5]|2[0-4]\d|1?\d?\d)\.(?:25[0-5]|2[0-4]\d|1?\d?\d)\.(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
/**
 * Forms that `inet_aton` accepts as an address: `2130706433`, `0x7f000001`. Some clients use it, so these are not
 * names.
 */
const numeric = /^(?:\d+|0x[0-9a-f]*)$/;

/** `host` is lower case, without a trailing dot; `tlds` are the configured domains besides `localhost`. */
export function classifyHost(host: string, tlds: readonly string[] = []): Host {
  if (host === "localhost") return own;
  const domain = host.endsWith(".localhost") ? "localhost" : longestEnding(host, tlds);
  if (domain !== undefined) {
    const name = host.slice(0, -domain.length - 1);
    return name.split(".").every((part) => label.test(part))
      ? { kind: "name", name, domain }
      : foreign;
  }
  if (loopbackHost(host)) return own;
  if (label.test(host) && !numeric.test(host)) return { kind: "name", name: host, domain: "" };
  return foreign;
}

/** `localhost` itself, and addresses of the loopback interface. */
export function loopbackHost(host: string): boolean {
  return host === "localhost" || host === "[::1]" || loopback4.test(host);
}

/**
 * The longest configured domain that `host` ends in. With `test` and `dev.test`, `api.dev.test` is `api` under
 * `dev.test`.
 */
function longestEnding(host: string, tlds: readonly string[]): string | undefined {
  let longest: string | undefined;
  for (const tld of tlds) {
    const longer = longest === undefined || tld.length > longest.length;
    if (longer && host.endsWith(`.${tld}`)) longest = tld;
  }
  return longest;
}
